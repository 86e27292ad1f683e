"""The rules as Prometheus' own tool checks them: each alert fires for its cause, and no other."""

import re
import subprocess

import pytest
from prometheus_client import generate_latest

from devstack.metrics_reference import registries
from tests.machine import need_prometheus
from tests.observability import CONFIGURATION, RULE_TESTS, alerts


def promtool(*words: object, given: bytes | None = None) -> str:
    """Run the tool; return its output, or fail with it."""
    need_prometheus()
    done = subprocess.run(
        ["promtool", *map(str, words)], input=given, capture_output=True, timeout=60, check=False
    )
    output = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, output
    return output


def test_the_configuration_and_its_rules_are_valid() -> None:
    """With every file that it names."""
    assert "rules found" in promtool("check", "config", CONFIGURATION)


def test_each_alert_fires_for_its_cause_and_not_in_a_system_that_works() -> None:
    """And not before its time."""
    assert "SUCCESS" in promtool("test", "rules", RULE_TESTS)
    text = RULE_TESTS.read_text(encoding="utf-8")
    expected = set(re.findall(r'alertname(?:="|: )(Pillowcast\w+)', text))

    assert expected == {rule["alert"] for rule in alerts()}


@pytest.mark.parametrize("service", ["poller", "gateway", "simulator"])
def test_the_names_of_metrics_are_as_prometheus_recommends(service: str) -> None:
    """Its linter has nothing to say."""
    promtool("check", "metrics", given=generate_latest(registries()[service]))
