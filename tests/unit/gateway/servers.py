"""The gateway's server in this process, without a broker: fast pings, and states at will."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette

from gateway.transport.connection import Browser
from gateway.transport.connections import Door
from gateway.transport.handshake_fast_path import Front
from gateway.transport.http_protocol import bound_connections
from gateway.transport.websocket import WebSocketBrowser
from runtime.server import listen, serve_until
from tests.gateway import handshake
from tests.unit.gateway.core import GatewayCore
from tests.unit.gateway.strategies import update
from tests.unit.gateway.transport.connection_registries import make_door
from tests.waiting import until


class Served:
    """A server: its port, and what is behind it."""

    def __init__(self, port: int, core: GatewayCore, door: Door) -> None:
        self.port = port
        self.core = core
        self.door = door
        self._at = 0

    @property
    def everyone(self) -> set[Browser]:
        """Who is in."""
        return {guest for guest in self.door.upkeep if isinstance(guest, Browser)}

    @property
    def browsers(self) -> int:
        """How many are in."""
        return len(self.door.upkeep)

    def count(self, name: str, **labels: str) -> float:
        """A metric."""
        return self.core.count(name, **labels)

    def say(self, pillow: str = "cloud-1", *, pad: int = 0) -> None:
        """Have a pillow say something new."""
        self._at += 1
        self.core.receive_state(update(pillow, self._at, pad=pad))

    @asynccontextmanager
    async def dialled(
        self, sent: bytes | None = None, *, receive_buffer: int = 4096
    ) -> AsyncIterator[socket.socket]:
        """A connection that takes little at a time; a WebSocket unless `sent` says otherwise."""
        with socket.socket() as plain:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            plain.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(plain, ("127.0.0.1", self.port))
            await loop.sock_sendall(plain, handshake() if sent is None else sent)
            if sent is None:
                before = self.browsers
                await until(lambda: self.browsers > 0 and self.browsers >= before, "in")
            yield plain


@asynccontextmanager
async def serving(
    *,
    period_s: float = 3600.0,
    most: int = 1000,
    room: int = 1000,
    app: Starlette | None = None,
) -> AsyncIterator[Served]:
    """A server that looks after each browser once in `period_s`; else nothing comes in between."""
    core = GatewayCore()
    door = make_door(core, most=most, room=room, period_s=period_s)
    listener = listen("127.0.0.1", 0, "PORT")
    bound_connections(listener)
    stopping = asyncio.Event()
    served = asyncio.ensure_future(
        serve_until(
            app or Starlette(),
            listener,
            stopping,
            http=partial(Front, door),
            ws=WebSocketBrowser,
        )
    )
    upkeep = asyncio.ensure_future(door.run())
    try:
        yield Served(listener.getsockname()[1], core, door)
    finally:
        upkeep.cancel()
        stopping.set()
        async with asyncio.timeout(10):
            await served


async def read_to_end(plain: socket.socket) -> bytes:
    """All that still comes."""
    got = b""
    async with asyncio.timeout(10):
        while data := await asyncio.get_running_loop().sock_recv(plain, 1 << 16):
            got += data
    return got
