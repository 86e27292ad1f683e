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
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from runtime.server import serve_until

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
        app,
        listener,
        stopping,
        http=partial(OneRequestProtocol, connections, connection_s),
        headers=[("Connection", "close"), ("Cache-Control", "no-store")],
    )
