"""The rules as Prometheus' own tool checks them: each alert fires for its cause, and no other."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
import yaml
from prometheus_client import generate_latest

from devstack.metrics_reference import registries
from devstack.processes import ROOT
from docsite.blocks import Block, code_blocks
from tests.machine import need_prometheus
from tests.observability import CONFIGURATION, RULE_TESTS, alerts, configuration
from tests.promql import parse


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


def pages() -> dict[str, str]:
    """Return the pages of the documentation."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(ROOT.glob("docs/**/*.md"))
    }


SCRAPE_BLOCKS: Final = [
    block
    for name, page in pages().items()
    for block in code_blocks(name, page)
    if block.language == "yaml" and "scrape_configs" in block.text
]


@pytest.mark.parametrize("block", SCRAPE_BLOCKS, ids=str)
def test_a_scrape_configuration_of_the_documentation_is_valid(block: Block, tmp_path: Path) -> None:
    """It has the jobs that the rules expect, each at the port that compose's Prometheus asks."""
    path = tmp_path / "prometheus.yml"
    path.write_text(block.text)
    promtool("check", "config", path)
    ports = {
        job["job_name"]: job["dns_sd_configs"][0]["port"]
        for job in configuration()["scrape_configs"]
    }
    for job in yaml.safe_load(block.text)["scrape_configs"]:
        ports_of_job = re.findall(r"(?:'port': |:)(\d{4})\b", str(job))
        assert set(map(int, ports_of_job)) == {ports[job["job_name"]]}, job


def test_the_documentation_has_scrape_configurations() -> None:
    """With and without compose, each with every service that runs for long."""
    assert len(SCRAPE_BLOCKS) >= 2
    for block in SCRAPE_BLOCKS:
        for service in ("poller", "gateway", "notifier", "recorder"):
            assert f"job_name: pillowcast-{service}" in block.text, f"{block}: {service}"


def test_the_expressions_of_the_documentation_are_valid_and_ask_for_what_there_is(
    tmp_path: Path,
) -> None:
    """Those of the table of docs/how-to/monitoring.md."""
    page = pages()["docs/how-to/monitoring.md"]
    expressions = re.findall(r"`([^`]+)`", page.partition("| worry |")[2].partition("\n\n")[0])
    assert len(expressions) > 6
    rules = [{"record": f"doc:{n}", "expr": one} for n, one in enumerate(expressions)]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "documentation", "rules": rules}]}))
    promtool("check", "rules", path)
    known = {
        sample.name
        for registry in registries().values()
        for family in registry.collect()
        for sample in family.samples
    }
    asked = {selector.metric for one in expressions for selector in parse(one).selectors}
    assert asked <= known | {"up"}


@pytest.mark.parametrize("service", ["poller", "gateway", "simulator", "notifier", "recorder"])
def test_the_names_of_metrics_are_as_prometheus_recommends(service: str) -> None:
    """Its linter has nothing to say."""
    promtool("check", "metrics", given=generate_latest(registries()[service]))
