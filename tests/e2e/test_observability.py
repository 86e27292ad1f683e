"""A real Prometheus, with the rules and the queries of the repository, beside a running system."""

import re
import shutil
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
import yaml

from devstack import ports
from devstack.probes import http_answers
from devstack.processes import Program
from devstack.stack import Stack
from tests.e2e.conftest import Put
from tests.machine import need_prometheus
from tests.notifier import Notifier, hugs_to, receiving
from tests.observability import PROMETHEUS, alerts, configuration, queries
from tests.promql import parse
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)

SIMULATOR_PORT, NOTIFIER_PORT, RECORDER_PORT = ports.free(), ports.free(), ports.free()

EMPTY = ("ALERTS",)
"""What no system has that is well."""


class Prometheus:
    """A server that scrapes a stack every second, with pauses of a second in its alerts."""

    def __init__(self, folder: Path, targets: dict[str, int]) -> None:
        self.port = ports.free()
        url = f"http://{ports.HOST}:{self.port}"
        self.http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=20)
        shutil.copytree(PROMETHEUS, folder / "etc")
        settings = configuration()
        settings["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        settings["scrape_configs"] = [
            {
                "job_name": f"pillowcast-{service}",
                "static_configs": [{"targets": [f"{ports.HOST}:{port}"]}],
            }
            for service, port in targets.items()
        ]
        (folder / "etc" / "prometheus.yml").write_text(yaml.safe_dump(settings))
        rules = folder / "etc" / "rules" / "pillowcast.yml"
        rules.write_text(re.sub(r"for: \d+[mh]", "for: 1s", rules.read_text()))
        self.program = Program(
            "prometheus",
            [
                "prometheus",
                f"--config.file={folder}/etc/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address={ports.HOST}:{self.port}",
                f"--web.console.templates={folder}/etc/consoles",
                f"--web.console.libraries={folder}/etc/consoles",
            ],
            ready=partial(http_answers, ports.HOST, self.port, "/-/ready", status=200),
        )

    async def get(self, path: str, **query: str) -> httpx.Response:
        """Get a path."""
        return await self.http.get(path, params=query)

    async def ask(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of a query."""
        answer = (await self.get("/api/v1/query", query=expression)).json()
        assert answer["status"] == "success", (expression, answer)
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    async def firing(self) -> set[str]:
        """Return the names of the alerts that fire."""
        series = await self.ask('ALERTS{alertstate="firing"}')
        return {one["metric"]["alertname"] for one in series}


@pytest.fixture(scope="module")
def unstarted() -> Stack:
    """A stack with a simulator and a recorder, whose ports are known."""
    env = {
        "SIMULATOR_PORT": str(SIMULATOR_PORT),
        "SIMULATOR_RATE": "5",
    }
    stack = Stack(simulator=True, recorder=True, env={"simulator": env})
    stack.recorder = stack.another_recorder("recorder", port=RECORDER_PORT)
    return stack


@pytest.fixture(scope="module")
async def prometheus(
    unstarted: Stack, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Prometheus]:
    """Prometheus, which begins to scrape after some seconds."""
    need_prometheus()
    targets = {
        "poller": unstarted.ports.poller,
        "gateway": unstarted.ports.ops,
        "simulator": SIMULATOR_PORT,
        "notifier": NOTIFIER_PORT,
        "recorder": RECORDER_PORT,
    }
    server = Prometheus(tmp_path_factory.mktemp("prometheus"), targets)
    async with server.program, server.http:
        yield server


@pytest.fixture(scope="module")
async def stack(unstarted: Stack, prometheus: Prometheus) -> AsyncIterator[Stack]:
    """The stack, started; the last test breaks it."""
    del prometheus  # it is there before
    async with unstarted:
        yield unstarted


async def test_every_query_of_rules_and_dashboard_has_an_answer(
    prometheus: Prometheus, stack: Stack, put: Put, tmp_path: Path
) -> None:
    """Each of its metrics with its matchers, as the running services show them."""
    asked = [(one, parse(one.expression)) for one in queries()]
    metrics = {str(selector) for _, query in asked for selector in query.selectors}
    missing = {one for one in metrics if not one.startswith(EMPTY)}

    async def are_all_there() -> bool:
        # What is missing first, so that each is asked for only until it is there.
        while missing and await prometheus.ask(min(missing)):
            missing.remove(min(missing))
        return not missing

    url = f"{stack.page_url.replace('http', 'ws')}/ws"
    # It reads nothing, so that it does not see the end of its connection.
    async with (
        websockets.connect(url, proxy=None, close_timeout=0),
        receiving() as receiver,
        Notifier(
            tmp_path, hugs_to(receiver), "pillow", stack.broker, NOTIFIER_PORT=str(NOTIFIER_PORT)
        ),
    ):
        await put(pillow="p-1", state="hugging")
        await put("nonsense")
        # A hundred questions, each of which a busy machine answers in half a second.
        try:
            await eventually(are_all_there, "a series for each", within_s=120)
        except AssertionError as error:
            raise AssertionError(f"no series for {sorted(missing)}") from error
        for one, query in asked:
            names = "|".join(selector.metric for selector in query.selectors)
            for label in query.grouping if not names.startswith(EMPTY) else ():
                series = f'{{__name__=~"{names}",{label}!=""}}'
                assert await prometheus.ask(f"count({series})"), f"{one.where}: {label}"
            await prometheus.ask(one.expression)


async def test_what_it_scrapes_is_what_the_rules_call_well(prometheus: Prometheus) -> None:
    """But for what the test before did, and root where it runs the tests."""
    known = {
        "PillowcastDeadLetters", "PillowcastDeadLettersWait", "PillowcastRunsAsRoot",
        "PillowcastServiceDown",
    }  # fmt: skip

    async def are_known() -> bool:
        return await prometheus.firing() <= known

    # A pause of a service is an alert too, because one of a second is enough here.
    await eventually(are_known, "no other alerts")
    (difference,) = await prometheus.ask("pillowcast_poller:deliveries_without_outcome:difference")
    assert difference["value"][1] == "0"


async def test_the_run_book_is_on_prometheus_with_a_place_for_each_alert(
    prometheus: Prometheus,
) -> None:
    """Where the links of alerts lead."""
    page = await prometheus.get("/consoles/runbook.html")
    assert page.status_code == 200
    for rule in alerts():
        anchor = rule["annotations"]["runbook_url"].split("#")[1]
        assert f'id="{anchor}"' in page.text


async def test_a_broker_that_is_killed_is_an_alert(prometheus: Prometheus, stack: Stack) -> None:
    """Within seconds, as the rules are here; last of all, because the stack is broken then."""
    stack.broker.kill()
    expected = {"PillowcastBrokerDown", "PillowcastGatewayNotReady", "PillowcastPollerNotReady"}

    async def are_firing() -> bool:
        return expected <= await prometheus.firing()

    await eventually(are_firing, "alerts", within_s=40)
    found = (await prometheus.get("/api/v1/alerts")).json()["data"]["alerts"]
    links = {one["annotations"]["runbook_url"].rpartition(":")[2] for one in found}
    assert f"{prometheus.port}/consoles/runbook.html#broker-down" in links
