"""An HTTP server inside an event loop that somebody else owns."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, Final

import uvicorn

BACKLOG: Final = 65_535
"""How many connections may wait to be accepted; the system has a bound of its own. One that finds
no room is tried again by its system after a second, then three: too late for who comes back."""


class PortUnavailable(Exception):
    """The address cannot be listened on; the message says which, why, and what to change."""


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process's lifecycle decides when it stops."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the process."""
        yield


def listen(host: str, port: int, setting: str) -> socket.socket:
    """Open a listening socket, before anything else is started.

    Raises PortUnavailable with a sentence that names `setting`, the variable to change.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        raise PortUnavailable(
            f"cannot listen on {host}:{port}: {error.strerror}; set {setting} to a free port"
        ) from None
    opened.setblocking(False)
    return opened


async def serve_until(
    app: Any, listener: socket.socket, stopping: asyncio.Event, **options: Any
) -> None:
    """Serve `app` on `listener` until `stopping` is set, then finish the open requests."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=3,
        **options,
    )
    server = Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    asked = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait((serving, asked), return_when=asyncio.FIRST_COMPLETED)
    finally:
        asked.cancel()
        server.should_exit = True
        await serving
