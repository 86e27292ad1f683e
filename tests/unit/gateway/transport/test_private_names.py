"""What the transport needs of libraries beyond their documentation; see docs/dependencies.md."""

import inspect

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from gateway.transport import http_protocol
from gateway.transport.pipeline import PIPELINE_KEY, Pipeline
from tests.gateway import request
from tests.unit.gateway.servers import read_to_end, serving

OPTIONS = {"config", "server_state", "app_state", "_loop"}


async def test_uvicorn_passes_the_app_state_of_its_protocol_to_the_application() -> None:
    """By it a response is reported to its connection's pipeline."""
    pipelines: list[object] = []

    async def endpoint(received: Request) -> Response:
        pipelines.append(received.scope["state"].get(PIPELINE_KEY))
        return Response(headers={"Connection": "close"})

    app = Starlette(routes=[Route("/", endpoint)])
    async with serving(app=app) as served, served.dial(request("/")) as client:
        await read_to_end(client)

    assert [type(one) for one in pipelines] == [Pipeline]


async def test_uvicorn_creates_a_protocol_with_the_options_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Config(http=…) accepts a factory; its arguments are passed on to HttpToolsProtocol."""
    received: list[set[str]] = []
    original = http_protocol.HttpProtocol.__init__

    def spy(self: http_protocol.HttpProtocol, context: object, **options: object) -> None:
        received.append(set(options))
        original(self, context, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(http_protocol.HttpProtocol, "__init__", spy)
    async with serving() as served, served.dial():
        pass

    assert received == [OPTIONS]
    assert set(inspect.signature(HttpToolsProtocol).parameters) == OPTIONS
    assert "http" in inspect.signature(Config).parameters


def test_websockets_has_extensions_that_can_be_set() -> None:
    """A reader is created after the handshake, with the extension that it has negotiated."""
    assert ServerProtocol(state=OPEN).extensions == []
