"""The server: uvicorn, with the gateway's HTTP protocol in front of uvicorn's own."""

import asyncio
import socket
from functools import partial
from typing import Final

from starlette.types import ASGIApp

from gateway.transport.context import TransportContext
from gateway.transport.http_protocol import HttpProtocol
from gateway.transport.pipeline import report_responses
from runtime.server import serve_until

KEEP_ALIVE_S: Final = 130
"""How long a connection may be idle between a response and the next request. Proxies keep theirs
for 60 s (nginx), 90 s or 120 s (Caddy), and answer 502 where the gateway closes one first while
they send a request."""


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    stopping: asyncio.Event,
    context: TransportContext,
    *,
    keep_alive_s: int = KEEP_ALIVE_S,
) -> None:
    """Serve `app`, WebSockets and event streams until `stopping` is set.

    Then idle connections are closed at once, and responses are finished within
    runtime.server.GRACEFUL_SHUTDOWN_S.
    """

    async def close_connections() -> None:
        await stopping.wait()
        context.registry.close()

    async with asyncio.TaskGroup() as parts:
        parts.create_task(close_connections())
        http = partial(HttpProtocol, context)
        parts.create_task(
            serve_until(
                report_responses(app, context.requests),
                listener,
                stopping,
                http=http,
                timeout_keep_alive=keep_alive_s,
            )
        )
