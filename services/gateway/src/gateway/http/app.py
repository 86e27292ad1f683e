"""The gateway's web application: every endpoint, and the headers all of them share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract.states import STATES_JSON
from gateway.http.assets import Pages, policy, read_folder
from gateway.http.problems import problem
from gateway.http.schemas import asyncapi, openapi
from gateway.settings import GatewaySettings

STATIC: Final = Path(__file__).parent.parent / "static"

_STATES_MODULE: Final = b"export default %b;\n" % STATES_JSON.strip()

_HEADERS: Final = {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
_UNLESS_SAID: Final = {"Cache-Control": "no-cache", "Content-Security-Policy": policy()}


class _Headers:
    """Adds the headers that every response carries; the page has a policy of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                for name, value in _UNLESS_SAID.items():
                    headers.setdefault(name, value)
                if scope["path"].endswith(".js"):
                    # Modules are fetched with CORS, and other sites embed these.
                    headers["Access-Control-Allow-Origin"] = "*"
            await send(message)

        await self._app(scope, receive, send_with_headers)


def create_app(settings: GatewaySettings, routes: Sequence[BaseRoute]) -> ASGIApp:
    """Build the application: `routes`, the documents, the page and its files."""

    pages = Pages({**read_folder(STATIC), "states.js": _STATES_MODULE})

    async def openapi_document(_request: Request) -> Response:
        return JSONResponse(openapi())

    async def asyncapi_document(_request: Request) -> Response:
        return JSONResponse(asyncapi(settings.topic_prefix))

    async def no_such_thing(request: Request) -> Response:
        return problem(404, "not found", f"nothing is at {request.url.path[:80]!r}")

    async def no_handshake(_request: Request) -> Response:
        refused = problem(426, "upgrade required", "this is where WebSockets begin")
        refused.headers.update({"Upgrade": "websocket", "Connection": "Upgrade"})
        return refused

    app = Starlette(
        routes=[
            Route("/ws", no_handshake),
            *routes,
            Route("/openapi.json", openapi_document),
            Route("/asyncapi.json", asyncapi_document),
            Route("/api/{path:path}", no_such_thing),
            Route("/{path:path}", pages.serve),
        ],
        middleware=[
            Middleware(
                CORSMiddleware,
                allow_origins=list(settings.allowed_origins),
                allow_methods=["GET"],
                allow_headers=["Last-Event-ID"],
            ),
        ],
    )
    return _Headers(app)  # around all of it: a fault of ours is answered by what is outermost
