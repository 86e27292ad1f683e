"""One connection: how it is made, on both event loops, and how making it ends."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import uvloop

from devstack import ports
from runtime.broker_url import BrokerAddress
from runtime.mqtt import BrokerLost, Message, SessionConfig, SessionLimits
from runtime.mqtt.connection import Connection
from runtime.mqtt.connection_events import ConnectionEvents, LastWill
from runtime.tls import tls_context
from tests.unit.runtime.mqtt.scripted_broker import CONNECT, ScriptedBroker
from tests.waiting import until

LIMITS = SessionLimits(connect_timeout_s=5, response_timeout_s=5)
WILL = LastWill("p/status", b"offline", 60)

both_loops = pytest.mark.parametrize(
    "new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
NewLoop = Callable[[], asyncio.AbstractEventLoop]


class Owner:
    """A connection and the reasons for which it was lost."""

    def __init__(self, address: BrokerAddress, limits: SessionLimits = LIMITS) -> None:
        self.received: list[Message] = []
        self.losses: list[str] = []
        self.connection = Connection(
            SessionConfig(
                address, "5", "test", "one", WILL.topic, "p/bridge/test/one/mark", limits
            ),
            "id",
            ConnectionEvents(
                self.received.append,
                lambda error: self.losses.append(str(error)),
                lambda _topic, _size: None,
            ),
        )


class SilentServer:
    """Accepts one connection and never answers, not even to TLS."""

    def __init__(self) -> None:
        self.accepted = asyncio.Event()
        self.ended = asyncio.Event()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["SilentServer"]:
        """Listen on a free port."""
        server = await asyncio.start_server(self._accept, ports.HOST, 0)
        self.address = BrokerAddress(ports.HOST, server.sockets[0].getsockname()[1], tls=True)
        async with server:
            yield self

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted.set()
        await reader.read()
        writer.close()
        self.ended.set()


async def on_loop(new_loop: NewLoop, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` on an event loop of its own, in a thread."""

    def run() -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(asyncio.wait_for(work(), 20))

    await asyncio.to_thread(run)


@both_loops
async def test_small_packets_are_not_delayed(new_loop: NewLoop) -> None:
    """TCP_NODELAY: without it a publish waits 40 ms for the acknowledgement of the one before."""

    async def check() -> None:
        async with ScriptedBroker().listening() as broker:
            owner = Owner(broker.address)
            await owner.connection.open(WILL)
            transport = owner.connection._transport
            assert transport is not None
            sock = transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
            owner.connection.abort()

    await on_loop(new_loop, check)


@both_loops
async def test_a_connect_that_is_cancelled_closes_its_socket(new_loop: NewLoop) -> None:
    """Here while TLS waits for a server that never answers: the server sees the end."""

    async def check() -> None:
        async with SilentServer().listening() as server:
            owner = Owner(server.address)
            opening = asyncio.ensure_future(owner.connection.open(WILL))
            await server.accepted.wait()
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            await server.ended.wait()
            assert opening.cancelled()

    await on_loop(new_loop, check)


@both_loops
async def test_data_and_a_reset_that_come_together_are_both_noticed(new_loop: NewLoop) -> None:
    """uvloop reports them once; the connection must not wait for its timeout."""

    async def check() -> None:
        broker = ScriptedBroker()
        async with broker.listening():
            owner = Owner(broker.address, replace(LIMITS, response_timeout_s=600))
            await owner.connection.open(WILL)
            sock = broker.last.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00" + bytes(4))
            broker.last.send(b"\xd0\x00" * 5)
            broker.last.close()
            with pytest.raises(BrokerLost):
                await owner.connection.wait_lost()
            assert len(owner.losses) == 1
            assert owner.connection.was_closed_by_broker

    await on_loop(new_loop, check)


@both_loops
async def test_a_refused_connection_says_so(new_loop: NewLoop) -> None:
    """In the system's words, which people search for."""

    async def check() -> None:
        owner = Owner(BrokerAddress(ports.HOST, ports.free()))
        with pytest.raises(BrokerLost, match=r"cannot connect \(Connection refused\)"):
            await owner.connection.open(WILL)

    await on_loop(new_loop, check)


@both_loops
async def test_a_connect_takes_no_longer_than_its_timeout(new_loop: NewLoop) -> None:
    """TLS included, which a server may never answer; the event loop is not blocked meanwhile."""

    tls_context()  # is cached; reading the certificates must not use up the timeout

    async def check() -> None:
        async with SilentServer().listening() as server:
            owner = Owner(server.address, replace(LIMITS, connect_timeout_s=0.5))
            turns = 0
            opening = asyncio.ensure_future(owner.connection.open(WILL))
            while not opening.done():
                turns += 1
                await asyncio.sleep(0)
            with pytest.raises(BrokerLost, match=r"cannot connect \(no answer within 0.5 s\)"):
                opening.result()
            assert turns > 10
            await server.ended.wait()

    await on_loop(new_loop, check)


async def test_a_connection_that_was_ended_while_it_was_made_is_closed() -> None:
    """The session gave it up between TCP and CONNECT."""
    async with ScriptedBroker().listening() as broker:
        owner = Owner(broker.address)
        owner.connection.abort()
        with pytest.raises(BrokerLost):
            await owner.connection.open(WILL)
        await until(lambda: bool(broker.clients) and broker.last.is_closed, "its end")

        assert broker.last.sent(CONNECT) == []
