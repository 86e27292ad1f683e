"""Rules and dashboard ask for what services show, and each alert has a section in the run-book."""

import re
from collections import Counter
from typing import Any

import pytest
from prometheus_client import Metric

from devstack.metrics_reference import labels_of, name_of, registries
from devstack.processes import ROOT
from docsite.runbook_page import PAGE, SOURCE, render
from tests.observability import Asked, alerts, configuration, panels, queries, rules
from tests.promql import Query, Selector, parse

SCRAPED = {"job", "instance"}
"""The labels that a scrape adds."""

MADE_BY_PROMETHEUS = {
    "up": SCRAPED,
    "ALERTS": {"alertname", "alertstate", "severity"},
}

SUFFIXES = {"histogram": ("_bucket", "_count", "_sum")}

QUERIES = list(queries())


def known() -> dict[str, Metric]:
    """Return every series that the services show, by its name."""
    return {
        f"{name_of(family)}{suffix}": family
        for registry in registries().values()
        for family in registry.collect()
        for suffix in SUFFIXES.get(family.type, ("",))
    }


KNOWN = known()
RECORDED = {rule["record"] for rule in rules() if "record" in rule}


def values_of(selector: Selector, label: str) -> list[str] | None:
    """Return the values that a label of a series takes; None if they are not in the code."""
    if selector.metric in KNOWN:
        return labels_of(KNOWN[selector.metric]).get(label)
    return None


def labels(metric: str) -> set[str]:
    """Return the labels that a series has."""
    if metric in MADE_BY_PROMETHEUS:
        return MADE_BY_PROMETHEUS[metric]
    if metric in RECORDED:
        return {*SCRAPED, "limit", "service"}
    return {*SCRAPED, "le", *labels_of(KNOWN[metric])}


@pytest.mark.parametrize("asked", QUERIES, ids=[one.where for one in QUERIES])
def test_a_query_asks_for_metrics_and_labels_that_there_are(asked: Asked) -> None:
    """Otherwise a panel stays empty, and an alert never fires."""
    query = parse(asked.expression)
    assert query.selectors
    for selector in query.selectors:
        assert selector.metric in {*KNOWN, *MADE_BY_PROMETHEUS, *RECORDED}
        for label, operator, value in selector.matchers:
            assert label in labels(selector.metric), f"{selector.metric} has no label {label}"
            values = values_of(selector, label)
            if values is not None and operator in ("=", "!="):
                assert value in values, f"{label} of {selector.metric} is never {value}"
    available = set().union(*(labels(selector.metric) for selector in query.selectors))
    assert query.grouping <= available


def test_a_query_is_parsed_with_its_matchers_and_groups() -> None:
    """And functions, numbers, ranges and texts are none of them."""
    text = 'sum by (le, job) (rate(a_bucket{x="y, z",job=~"p-.+"}[5m])) / on (job) group_left () b'
    assert parse(text) == Query(
        (Selector("a_bucket", (("x", "=", "y, z"), ("job", "=~", "p-.+"))), Selector("b")),
        frozenset({"le", "job"}),
    )
    assert parse("abs(c) > 5 * 1e3 and on () d or vector(0)").selectors == (
        Selector("c"),
        Selector("d"),
    )


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_it_means_and_links_to_its_section(rule: dict[str, Any]) -> None:
    """On the page that Prometheus shows itself."""
    assert rule["alert"].startswith("Pillowcast")
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert {"summary", "description", "runbook_url"} == set(rule["annotations"])
    page, anchor = rule["annotations"]["runbook_url"].split("#")
    section = sections()[anchor]

    assert page == f"{{{{ $externalURL }}}}/consoles/{PAGE.name}"
    assert f"`{rule['alert']}`, {rule['labels']['severity']}" in section
    for word in ("Means", "Check", "o**: "):
        assert word in section, anchor


def test_a_section_of_the_run_book_is_of_an_alert() -> None:
    """None is left over when an alert is removed or renamed."""
    anchors = {rule["annotations"]["runbook_url"].split("#")[1] for rule in alerts()}
    assert set(sections()) == anchors


def sections() -> dict[str, str]:
    """Return the sections of the run-book, by the names that its page gives them."""
    html = PAGE.read_text(encoding="utf-8")
    text = SOURCE.read_text(encoding="utf-8").split("\n## ")[1:]
    return dict(zip(re.findall(r'<h2 id="([^"]+)"', html), text, strict=True))


def test_the_page_of_prometheus_is_that_of_the_documentation() -> None:
    """After a change of the run-book: python -m docsite.runbook_page."""
    assert PAGE.read_text(encoding="utf-8") == render(SOURCE.read_text(encoding="utf-8"))


def test_links_within_the_page_have_a_target() -> None:
    """Links to other pages of the documentation are text, because Prometheus has only this one."""
    html = PAGE.read_text(encoding="utf-8")
    links = re.findall(r'href="([^"]+)"', html)
    assert {link[1:] for link in links if link.startswith("#")} <= set(sections())
    assert not [link for link in links if not link.startswith(("#", "http://localhost:"))]


def test_each_panel_is_explained_and_none_covers_another() -> None:
    """A grid of 24 columns."""
    taken: Counter[tuple[int, int]] = Counter()
    for panel in panels():
        assert panel["title"]
        assert panel["description"]
        assert panel["datasource"]["uid"] == datasource()
        place = panel["gridPos"]
        for column in range(place["x"], place["x"] + place["w"]):
            for row in range(place["y"], place["y"] + place["h"]):
                taken[column, row] += 1
    assert max(taken.values()) == 1
    assert max(column for column, _ in taken) == 23
    assert len({panel["id"] for panel in panels()}) == len(panels())


def datasource() -> str:
    """Return the name of the source that Grafana is provided with."""
    folder = ROOT / "deploy" / "observability" / "grafana" / "provisioning" / "datasources"
    text = (folder / "pillowcast.yml").read_text(encoding="utf-8")
    (uid,) = re.findall(r"uid: (\S+)", text)
    return str(uid)


def test_prometheus_scrapes_each_service_at_the_port_that_compose_gives_it() -> None:
    """By the service's name, under which all of its containers are found."""
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    settings = {
        "poller": "POLLER_PORT",
        "gateway": "GATEWAY_OPS_PORT",
        "simulator": "SIMULATOR_PORT",
        "notifier": "NOTIFIER_PORT",
        "recorder": "RECORDER_PORT",
    }
    for job in configuration()["scrape_configs"]:
        (found,) = job["dns_sd_configs"]
        (service,) = found["names"]
        assert job["job_name"] == f"pillowcast-{service}"
        assert f'{settings.pop(service)}: "{found["port"]}"' in compose
    assert settings == {}
