"""The gateway's web application: the endpoints, and the headers that all responses have."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract.documents.asyncapi import asyncapi
from contract.documents.openapi import openapi
from contract.states import STATES, STATES_JSON
from gateway.http.assets import WORKER, StaticAssets, read_folder
from gateway.http.cors import CorsMiddleware
from gateway.http.page_head import head_maker
from gateway.http.problems import http_problem, internal_error, problem
from gateway.http.texts import Texts, read_texts, text_modules
from gateway.settings import GatewaySettings
from runtime.health import ALIVE_ROUTE
from runtime.security_headers import SECURITY_HEADERS

STATIC: Final = Path(__file__).parent.parent / "static"

_STATES_MODULES: Final = {
    "states.js": b"export default %b;\n" % STATES_JSON.strip(),
    # What the page needs of it: labels are among the sentences of each language.
    "state_colors.js": b"export default %b;\n"
    % msgspec.json.encode({name: style.color for name, style in STATES.items()}),
}

_DEFAULT_HEADERS: Final = {"Cache-Control": "no-cache", **SECURITY_HEADERS}


@cache
def _encoded(document: Callable[[], Any]) -> bytes:
    return msgspec.json.encode(document())


def _document(document: Callable[[], Any]) -> Response:
    return Response(_encoded(document), media_type="application/json")


class _HeadersMiddleware:
    """Adds _DEFAULT_HEADERS, where a response has no values of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # A browser keeps those of the response that a 304 confirms.
                added = {} if message["status"] == HTTPStatus.NOT_MODIFIED else _DEFAULT_HEADERS
                for name, value in added.items():
                    headers.setdefault(name, value)
                if "Access-Control-Allow-Origin" not in headers and "Origin" not in headers.get(
                    "Vary", ""
                ):
                    # A cache may not give a site that is not allowed the response to one that is.
                    headers.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, send_with_headers)


def page_files(texts: Mapping[str, Texts]) -> dict[str, bytes]:
    """Return all files of the page by path, with the modules that are made of declarations."""
    return {**read_folder(STATIC), **_STATES_MODULES, **text_modules(texts)}


def _make_assets(settings: GatewaySettings, label_of: Callable[[str], str]) -> StaticAssets:
    texts = read_texts()
    files = page_files(texts)
    if settings.auth != "none":
        # The page asks for no token where none is needed.
        files["index.html"] = files["index.html"].replace(b"<body", b'<body data-auth="jwt"', 1)
    if settings.labels_file is not None:
        files["index.html"] = files["index.html"].replace(b"<body", b"<body data-labels", 1)
    if not settings.offline_page:
        files[WORKER] = files[WORKER].replace(b"IS_KEPT = true", b"IS_KEPT = false", 1)
        files["index.html"] = files["index.html"].replace(b"<body", b'<body data-offline="no"', 1)
    head_of = head_maker(settings, label_of)
    return StaticAssets(files, texts, frame_ancestors=settings.frame_ancestors, head_of=head_of)


def create_app(
    settings: GatewaySettings,
    routes: Sequence[BaseRoute],
    label_of: Callable[[str], str] = lambda _pillow: "",
) -> ASGIApp:
    """Build the application from `routes`, the API's documents and the static assets.

    `label_of` returns what people call a pillow, "" for nothing.
    """
    assets = _make_assets(settings, label_of)

    async def openapi_document(_request: Request) -> Response:
        return _document(openapi)

    async def asyncapi_document(_request: Request) -> Response:
        return _document(asyncapi)

    async def not_found(request: Request) -> Response:
        return problem(404, "not found", f"nothing is at {request.url.path[:80]!r}")

    async def upgrade_required(_request: Request) -> Response:
        response = problem(426, "upgrade required", "this endpoint needs a WebSocket handshake")
        response.headers.update({"Upgrade": "websocket", "Connection": "Upgrade"})
        return response

    app = Starlette(
        routes=[
            ALIVE_ROUTE,
            Route("/ws", upgrade_required),
            *routes,
            Route("/openapi.json", openapi_document),
            Route("/asyncapi.json", asyncapi_document),
            Route("/api/{path:path}", not_found),
            Route("/{path:path}", assets.serve),
        ],
        middleware=[
            Middleware(
                CorsMiddleware,
                allow_origins=list(settings.allowed_origins),
                allow_methods=["GET"],
                allow_headers=["Authorization", "Cache-Control", "Last-Event-ID"],
            ),
        ],
        exception_handlers={HTTPException: http_problem, Exception: internal_error},
    )
    # Outermost, because Starlette's outermost middleware responds to errors of the application.
    return _HeadersMiddleware(app)
