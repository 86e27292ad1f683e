"""The gateway's server in this process, without a broker."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Route

from contract.frames import HEARTBEAT_S
from gateway.http.sse_endpoint import sse_endpoint
from gateway.transport.access import AccessControl
from gateway.transport.connection import ClientConnection
from gateway.transport.connection_limits import ConnectionLimits
from gateway.transport.connections import ConnectionRegistry
from gateway.transport.context import TransportContext
from gateway.transport.heartbeat import HeartbeatScheduler
from gateway.transport.server import KEEP_ALIVE_S, serve
from gateway.transport.socket_limits import set_socket_limits
from gateway.transport.traffic_limits import TrafficLimits
from runtime.server import listen
from tests.gateway import handshake, request
from tests.unit.gateway.core import GatewayCore
from tests.unit.gateway.strategies import update
from tests.unit.gateway.transport.contexts import make_context
from tests.waiting import until

NEVER_S = 100.0 * HEARTBEAT_S


class Served:
    """A running server, and what is behind it."""

    def __init__(self, port: int, core: GatewayCore, context: TransportContext) -> None:
        self.port = port
        self.core = core
        self.context = context
        self._at = 0

    @property
    def registry(self) -> ConnectionRegistry:
        """Its connections."""
        return self.context.registry

    @property
    def connections(self) -> set[ClientConnection]:
        """The clients' connections."""
        return {one for one in self.registry.clients if isinstance(one, ClientConnection)}

    @property
    def clients(self) -> int:
        """The number of clients."""
        return len(self.registry.clients)

    def count(self, name: str, **labels: str) -> float:
        """Return the value of a metric."""
        return self.core.count(name, **labels)

    def publish(self, pillow: str = "cloud-1", *, pad: int = 0) -> None:
        """Receive a new state of a pillow, `pad` bytes longer than usual."""
        self._at += 1
        self.core.receive_state(update(pillow, self._at, pad=pad))

    async def wait_until_read(self) -> None:
        """Wait until the server has read what was sent before: a later request is answered."""
        async with self.dial(request("/nothing")) as later, asyncio.timeout(10):
            await asyncio.get_running_loop().sock_recv(later, 4096)

    @asynccontextmanager
    async def dial(
        self, sent: bytes | None = None, *, receive_buffer: int = 4096
    ) -> AsyncIterator[socket.socket]:
        """Connect with a small receive buffer; without `sent`, shake hands for a WebSocket."""
        with socket.socket() as plain:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            plain.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(plain, ("127.0.0.1", self.port))
            before = self.clients
            await loop.sock_sendall(plain, handshake() if sent is None else sent)
            if sent is None:
                await until(lambda: self.clients > before, "registered")
            yield plain


@asynccontextmanager
async def serving(
    *,
    heartbeat_s: float = NEVER_S,
    max_clients: int = 1000,
    limits: ConnectionLimits | None = None,
    app: Starlette | None = None,
    keep_alive_s: int = KEEP_ALIVE_S,
    traffic: TrafficLimits | None = None,
    access: AccessControl | None = None,
    message_s: float = 30.0,
    request_s: float = 10.0,
) -> AsyncIterator[Served]:
    """Run a server that sends each client a heartbeat once in `heartbeat_s`."""
    core = GatewayCore()
    context = make_context(
        core,
        max_clients=max_clients,
        limits=limits,
        traffic=traffic,
        access=access,
        message_s=message_s,
        request_s=request_s,
    )
    listener = listen("127.0.0.1", 0, "PORT")
    set_socket_limits(listener)
    stopping = asyncio.Event()
    app = app or Starlette(routes=[Route("/events", sse_endpoint(context))])
    server = asyncio.ensure_future(
        serve(app, listener, stopping, context, keep_alive_s=keep_alive_s)
    )
    heartbeats = HeartbeatScheduler(
        context.registry.clients.tick, core.clock, core.dispatcher.subscriber_count, heartbeat_s
    )
    timers = [
        asyncio.ensure_future(context.registry.run()),
        asyncio.ensure_future(heartbeats.run()),
    ]
    try:
        yield Served(listener.getsockname()[1], core, context)
    finally:
        for timer in timers:
            timer.cancel()
        stopping.set()
        async with asyncio.timeout(10):
            await server


async def read_to_end(plain: socket.socket) -> bytes:
    """Return everything until the server closes the connection."""
    got = b""
    async with asyncio.timeout(10):
        while data := await asyncio.get_running_loop().sock_recv(plain, 1 << 16):
            got += data
    return got


async def read_until(plain: socket.socket, wanted: bytes) -> bytes:
    """Return what the server sends until something has come; fail if it closes before."""
    got = b""
    async with asyncio.timeout(10):
        while wanted not in got:
            data = await asyncio.get_running_loop().sock_recv(plain, 1 << 16)
            assert data, f"closed after {len(got)} bytes without {wanted!r}"
            got += data
    return got
