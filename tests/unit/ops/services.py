"""A port of a service that says what a test wants it to say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack import ports
from ops.endpoints import Endpoint, Service
from runtime.clocks import unix_ms
from runtime.private_server import serve_privately
from runtime.server import listen
from runtime.version import version_of


class FakeService:
    """The documents that it answers with, by path; a test changes them."""

    def __init__(self, service: Service) -> None:
        self.skew_ms = 0
        self.about: dict[str, Any] = {
            "service": service,
            "instance": "one",
            "version": version_of(service),
            "python": "3.13.0",
            "uptime_s": 61.0,
            "broker": "mqtt://broker:1883",
            "topic_prefix": "pillow",
            "settings": [],
            "ignored": [],
            "queue_offset_s": 0.2,
        }
        self.documents: dict[str, Any] = {
            "/readyz": {"ready": True, "dependencies": {"mqtt": "ok"}},
            "/ops/limits": [],
        }
        self.endpoint = Endpoint(service, ports.HOST, 0)

    async def answer(self, request: Request) -> Response:
        """Answer with the document of the path."""
        path = request.url.path
        if path == "/ops/about":
            return JSONResponse({**self.about, "clock_ms": unix_ms() + self.skew_ms})
        found = self.documents.get(path)
        return JSONResponse(found) if found is not None else Response("no", 404)


@asynccontextmanager
async def fake_service(service: Service) -> AsyncIterator[FakeService]:
    """Serve one on a free port."""
    fake = FakeService(service)
    app = Starlette(routes=[Route("/{path:path}", fake.answer)])
    listener, stopping = listen(ports.HOST, 0, "PORT"), asyncio.Event()
    fake.endpoint = Endpoint(service, ports.HOST, listener.getsockname()[1])
    serving = asyncio.ensure_future(serve_privately(app, listener, stopping))
    try:
        yield fake
    finally:
        stopping.set()
        await serving
