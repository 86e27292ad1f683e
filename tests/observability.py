"""The files of deploy/observability: rules, dashboard and configuration."""

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import yaml

from devstack.processes import ROOT

FOLDER: Final = ROOT / "deploy" / "observability"
PROMETHEUS: Final = FOLDER / "prometheus"
CONFIGURATION: Final = PROMETHEUS / "prometheus.yml"
RULES: Final = PROMETHEUS / "rules" / "pillowcast.yml"
RULE_TESTS: Final = FOLDER / "rules.test.yml"
DASHBOARD: Final = FOLDER / "grafana" / "dashboards" / "pillowcast.json"

RATE_INTERVAL: Final = "$__rate_interval"
"""What Grafana replaces by four times the interval of scrapes, or by the resolution of a panel."""


class Asked(NamedTuple):
    """A query, and the rule or panel that it is of."""

    where: str
    expression: str


def configuration() -> Any:
    """Return Prometheus' configuration."""
    return yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))


def rules() -> list[dict[str, Any]]:
    """Return every rule."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    """Return every rule that is an alert."""
    return [rule for rule in rules() if "alert" in rule]


def panels() -> list[dict[str, Any]]:
    """Return the dashboard's panels."""
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


def queries() -> Iterator[Asked]:
    """Yield every query of rules and dashboard."""
    for rule in rules():
        yield Asked(rule.get("alert") or rule["record"], rule["expr"])
    for panel in panels():
        for target in panel["targets"]:
            yield Asked(panel["title"], target["expr"].replace(RATE_INTERVAL, "1m"))
