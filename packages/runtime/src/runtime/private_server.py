"""Private server: HTTP for operators and their programs, beside what a service is for.

It is answered on a port of its own, within limits of its own, so that nothing that happens on a
public port takes its place. Each connection is for one request: no client of it needs more, and
then one deadline bounds everything that a connection can do.
"""

import asyncio
import socket
from functools import partial
from typing import Any, Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from runtime.security_headers import SECURITY_HEADERS
from runtime.server import machine_names, serve_until
from runtime.web_host import allowed_hosts

MAX_CONNECTIONS: Final = 16
"""Connections at once; above it the oldest is closed."""

MAX_REQUEST_BYTES: Final = 16_384
"""The size of a request: what Prometheus and health checks send has less than one kilobyte."""

CONNECTION_S: Final = 10.0
"""How long a connection may last, from its acceptance to the end of its response."""


class OneRequestProtocol(asyncio.Protocol):
    """A connection: its limits, in front of uvicorn's protocol."""

    def __init__(
        self, connections: "dict[OneRequestProtocol, None]", connection_s: float, **options: Any
    ) -> None:
        """`connections` are all of the server, `options` what uvicorn constructs its own with."""
        self._connections = connections
        self._connection_s = connection_s
        self._http = HttpToolsProtocol(**options)
        self._received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline, and take the place of the oldest connection if all are taken."""
        self._transport = transport
        self._connections[self] = None
        if len(self._connections) > MAX_CONNECTIONS:
            next(iter(self._connections)).abort()
        self._deadline = asyncio.get_running_loop().call_later(self._connection_s, self.abort)
        self._http.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the deadline and pass the loss on."""
        self._deadline.cancel()
        self._connections.pop(self, None)
        self._http.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass a request on that is not too large."""
        self._received += len(data)
        if self._received > MAX_REQUEST_BYTES:
            self.abort()
        else:
            self._http.data_received(data)

    def pause_writing(self) -> None:
        """Pass on that the transport's buffer is full."""
        self._http.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that the transport's buffer has drained."""
        self._http.resume_writing()

    def abort(self) -> None:
        """Close the connection now, and leave its place to another at once."""
        self._connections.pop(self, None)
        self._transport.abort()


def answered_hosts(app: ASGIApp, bound_to: str) -> ASGIApp:
    """Wrap an application so that a port on loopback is not answered under other names.

    Otherwise a page could read it, by a name that is resolved to loopback.
    """
    hosts = allowed_hosts((), bound_to, machine_names())

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        named = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(named) <= 1 and all(map(hosts.allow, named)):
            await app(scope, receive, send)
        else:
            refusal = PlainTextResponse("this host is not answered here; use localhost\n", 421)
            await refusal(scope, receive, send)

    return checked


def with_security_headers(app: ASGIApp) -> ASGIApp:
    """Wrap an application so that each response has the security headers that it does not set.

    A second policy would hold beside a page's own.
    """

    async def secured(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await app(scope, receive, send_secured)

    return secured


async def serve_privately(
    app: Starlette,
    listener: socket.socket,
    stopping: asyncio.Event,
    *,
    connection_s: float = CONNECTION_S,
) -> None:
    """Serve `app` on `listener` until `stopping` is set, one request a connection."""
    connections: dict[OneRequestProtocol, None] = {}
    await serve_until(
        with_security_headers(answered_hosts(app, listener.getsockname()[0])),
        listener,
        stopping,
        http=partial(OneRequestProtocol, connections, connection_s),
        headers=[("Connection", "close"), ("Cache-Control", "no-store")],
    )
