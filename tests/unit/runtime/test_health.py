"""Health, readiness and metrics over HTTP."""

import asyncio

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from starlette.applications import Starlette

from runtime.health import OK, MetricsTurns, health_routes, is_ok, limitation_of, ok_but


def client(dependencies: dict[str, str]) -> httpx.AsyncClient:
    """A client of a service with these dependencies and one counter at 3."""
    registry = CollectorRegistry()
    Counter("pillows", "Pillows seen.", registry=registry).inc(3)
    app = Starlette(routes=health_routes(lambda: dependencies, registry))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")


async def test_healthz_is_200_whatever_the_dependencies() -> None:
    """An outage of the broker must not restart every process."""
    async with client({"mqtt": "gone"}) as http:
        answer = await http.get("/healthz")

    assert (answer.status_code, answer.text) == (200, "ok\n")


@pytest.mark.parametrize(
    ("dependencies", "status"),
    [
        ({}, 200),
        ({"mqtt": OK, "queue": OK}, 200),
        ({"mqtt": ok_but("no retained messages"), "queue": ok_but(None)}, 200),
        ({"mqtt": "mqtt://h:1883: gone", "queue": OK}, 503),
        ({"mqtt": "gone", "queue": "gone too"}, 503),
    ],
)
async def test_readyz_is_200_only_if_every_dependency_is_ok_and_names_each(
    dependencies: dict[str, str], status: int
) -> None:
    """With its error."""
    async with client(dependencies) as http:
        answer = await http.get("/readyz")

    assert answer.status_code == status
    assert answer.json() == {"ready": status == 200, "dependencies": dependencies}


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        (OK, (True, "")),
        (
            ok_but("standby: one receives; it is alive"),
            (True, "standby: one receives; it is alive"),
        ),
        ("mqtt://h:1883: gone; retrying", (False, "")),
    ],
)
def test_a_state_says_whether_the_dependency_works_and_what_it_cannot_do(
    state: str, meaning: tuple[bool, str]
) -> None:
    assert (is_ok(state), limitation_of(state)) == meaning


async def test_readiness_is_evaluated_for_each_request() -> None:
    """A dependency can recover."""
    dependencies = {"mqtt": "not connected yet"}
    async with client(dependencies) as http:
        assert (await http.get("/readyz")).status_code == 503
        dependencies["mqtt"] = OK
        assert (await http.get("/readyz")).status_code == 200


async def test_metrics_are_in_the_format_of_prometheus() -> None:
    """From this service's own registry only."""
    async with client({}) as http:
        answer = await http.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "pillows_total 3.0" in answer.text
    assert "python_info" not in answer.text


async def test_metrics_are_rendered_half_of_the_time_and_for_those_who_stay() -> None:
    """Each rendering stops the event loop; clients that were closed meanwhile cost nothing."""
    now_s, rendered_s = 0.0, []

    def render() -> bytes:
        nonlocal now_s
        rendered_s.append(now_s)
        now_s += 0.02
        return b"metrics"

    async def stays() -> bool:
        return False

    async def has_left() -> bool:
        return True

    turns = MetricsTurns(render, lambda: now_s)
    began_s = asyncio.get_running_loop().time()
    asked = [turns.text(stays), *[turns.text(has_left) for _ in range(500)], turns.text(stays)]
    texts = await asyncio.gather(*asked)

    assert [text for text in texts if text] == [b"metrics", b"metrics"]
    assert len(rendered_s) == 2
    assert asyncio.get_running_loop().time() - began_s >= 0.02
