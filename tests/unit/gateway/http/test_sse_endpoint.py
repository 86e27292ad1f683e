"""`/events` for requests that do not become an event stream."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from gateway.http.sse_endpoint import sse_endpoint
from tests.unit.gateway.core import GatewayCore
from tests.unit.gateway.transport.contexts import make_context


@pytest.fixture
def core() -> GatewayCore:
    return GatewayCore()


async def events(
    core: GatewayCore,
    headers: dict[str, str] | None = None,
    *,
    method: str = "GET",
    max_clients: int = 10,
) -> httpx.Response:
    """Request the endpoint as the HTTP server does when it has not upgraded the request."""
    context = make_context(core, max_clients=max_clients)
    app = Starlette(routes=[Route("/events", sse_endpoint(context))])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        return await client.request(method, "/events", headers=headers)


async def test_head_has_the_streams_headers_and_subscribes_nothing(core: GatewayCore) -> None:
    """HEAD has no body to stream."""
    response = await events(core, method="HEAD")

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store, no-transform"
    assert core.dispatcher.subscriber_count() == 0


@pytest.mark.parametrize(
    ("headers", "max_clients", "status", "detail"),
    [
        ({"origin": "https://evil.example"}, 10, 403, "GATEWAY_ALLOWED_ORIGINS"),
        ({}, 0, 503, "try again later"),
        ({}, 10, 400, "must not be pipelined"),
    ],
    ids=["foreign origin", "full", "pipelined"],
)
async def test_a_refusal_is_a_problem_document_with_the_reason(
    core: GatewayCore, headers: dict[str, str], max_clients: int, status: int, detail: str
) -> None:
    """The status is one after which a browser does not retry by itself, but for 503."""
    response = await events(core, headers, max_clients=max_clients)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert detail in response.json()["detail"]


async def test_a_refusal_is_counted_by_its_close_code(core: GatewayCore) -> None:
    """As on a WebSocket."""
    await events(core, {"origin": "https://evil.example"})

    assert core.count("refused_total", code="4403") == 1
