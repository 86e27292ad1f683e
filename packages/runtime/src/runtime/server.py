"""HTTP server: uvicorn in an event loop that it neither starts nor ends."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from typing import Any, Final

import uvicorn

from runtime.settings import SettingsError

BACKLOG: Final = 65_535
"""Connections that may wait to be accepted; the system applies its own limit where it is lower.
When the backlog is full, a client's system retries after 1 s and 3 s, which is too late after a
restart of a gateway with many browsers."""

GRACEFUL_SHUTDOWN_S: Final = 3


class PortUnavailable(SettingsError):
    """Listening failed; the message names the address, the reason and the setting to change."""


class Server(uvicorn.Server):
    """uvicorn without signal handlers, because runtime.lifecycle installs the process's own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no signal handlers."""
        yield


def listen(host: str, port: int, setting: str) -> socket.socket:
    """Open a listening socket.

    Raises PortUnavailable with a sentence that names `setting`, the variable of the port, or that
    of the host if the port is not to blame.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        advice = f"set {setting} to a free port"
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            advice = f"set {setting.replace('_PORT', '_HOST')} to an address of this machine"
        raise PortUnavailable(
            f"cannot listen on {host}:{port}: {error.strerror}; {advice}"
        ) from None
    opened.setblocking(False)
    return opened


def machine_names() -> tuple[str, ...]:
    """Return the names by which this machine is known to itself and its neighbours."""
    name = socket.gethostname()
    first = name.partition(".")[0]
    return name, first, f"{first}.local"


def url_of(listener: socket.socket, path: str = "/") -> str:
    """Return a URL of a listening socket that can be opened on this machine."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "localhost"
    return f"http://[{host}]:{port}{path}" if ":" in host else f"http://{host}:{port}{path}"


async def serve_until(
    app: Any,
    listener: socket.socket,
    stopping: asyncio.Event,
    *,
    http: Any = "httptools",
    ws: str = "none",
    **options: Any,
) -> None:
    """Serve `app` on `listener` until `stopping` is set, then finish the open requests.

    `http` is a name or a protocol factory, `ws` the name of a WebSocket implementation; they and
    the `options` are those of `uvicorn.Config`.
    """
    config = uvicorn.Config(
        app,
        http=http,
        ws=ws,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,  # otherwise a loopback peer can give itself any address
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
        **options,
    )
    server = Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    stopped = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait((serving, stopped), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        server.should_exit = True
        await serving
