"""Heartbeats: which connections are kept and which are aborted, on real sockets."""

import asyncio
import contextlib
import socket

import pytest

import contract.frames
from gateway.transport.traffic_limits import TrafficLimits
from tests.gateway import TEXT, client_frame, handshake, request
from tests.unit.gateway.servers import read_to_end, serving
from tests.waiting import until

HEARTBEAT_S = 0.6
BIG = 40_000


@pytest.mark.parametrize("sent", [handshake(), request("/events")], ids=["websocket", "events"])
async def test_a_client_that_neither_reads_nor_answers_is_aborted(sent: bytes) -> None:
    """With unread data in the buffers, which a graceful close would wait for without an end."""
    traffic = TrafficLimits(client_s=2 * contract.frames.HEARTBEAT_S)
    async with (
        serving(heartbeat_s=HEARTBEAT_S, traffic=traffic) as served,
        served.dial(sent),
    ):
        await until(lambda: served.clients == 1, "registered")
        for _ in range(100):
            served.publish(pad=BIG)
            await asyncio.sleep(0)
        await until(lambda: served.clients == 0, "aborted")
        assert served.count("dead_clients_total") == 1


async def test_a_client_that_answers_no_ping_is_aborted() -> None:
    """Its machine may be gone without a FIN."""
    async with serving(heartbeat_s=HEARTBEAT_S) as served, served.dial():
        await until(lambda: served.clients == 0, "aborted")


async def test_a_client_that_sends_messages_but_answers_no_ping_is_aborted() -> None:
    """Only a pong and progress in reading are signs of life."""
    traffic = TrafficLimits(client_s=2 * contract.frames.HEARTBEAT_S)
    async with serving(heartbeat_s=HEARTBEAT_S, traffic=traffic) as served, served.dial() as client:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(10):
            while served.clients:
                try:
                    await loop.sock_sendall(client, client_frame(TEXT, b'{"type":"ping","sent":1}'))
                except ConnectionError:
                    await until(lambda: served.clients == 0, "aborted")
                await asyncio.sleep(0.01)


async def test_a_client_that_reads_slowly_is_kept() -> None:
    """The ping is queued behind data that it has not read yet, and it does read."""
    async with serving(heartbeat_s=HEARTBEAT_S) as served, served.dial() as slow:
        loop = asyncio.get_running_loop()
        began_s, got = loop.time(), 0
        while loop.time() - began_s < 6 * HEARTBEAT_S:
            served.publish(f"cloud-{got % 7}", pad=BIG)
            got += len(await loop.sock_recv(slow, 4096))
            await asyncio.sleep(0.001)
            assert served.clients == 1

        assert got > 1 << 19, "too little was read to show anything"
        assert served.count("conflated_total") > 0


@pytest.mark.parametrize("sent", [handshake(), request("/events")], ids=["websocket", "events"])
async def test_a_client_whose_reading_cannot_be_seen_is_kept(sent: bytes) -> None:
    """Its system tells that there is room when there is room for a whole segment, or later."""
    async with (
        serving(heartbeat_s=0.1) as served,
        served.dial(sent, receive_buffer=131_072) as slow,
    ):
        loop = asyncio.get_running_loop()
        await until(lambda: served.clients == 1, "registered")
        for number in range(100):
            served.publish(f"cloud-{number % 7}", pad=BIG)
            await asyncio.sleep(0)
        (connection,) = served.connections
        await until(lambda: connection.is_paused, "its buffers are full")
        await until(lambda: served.count("silent_clients") == 1, "silent")
        for _ in range(20):
            assert await loop.sock_recv(slow, 200)
            await asyncio.sleep(0.05)

        assert served.count("silent_clients") == 1, "the system has told that it reads"
        async with asyncio.timeout(10):
            while served.count("silent_clients"):
                await loop.sock_recv(slow, 1 << 16)
                await asyncio.sleep(0.01)
        assert served.clients == 1


async def test_a_silent_client_gives_its_place_to_a_new_one() -> None:
    """Clients that read nothing lock nobody out."""
    async with (
        serving(heartbeat_s=0.1, max_clients=1) as served,
        served.dial() as silent,
    ):
        for _ in range(100):
            served.publish(pad=BIG)
            await asyncio.sleep(0)
        await until(lambda: served.count("silent_clients") == 1, "silent")

        async with served.dial(handshake()) as good, asyncio.timeout(10):
            assert b'"snapshot"' in await asyncio.get_running_loop().sock_recv(good, 1 << 16)
            assert served.clients == 1
        assert served.count("evicted_total", stage="silent") == 1
        assert served.count("silent_clients") == 0
        with contextlib.suppress(ConnectionResetError):
            await read_to_end(silent)


async def test_no_timeout_of_the_system_ends_a_slow_reader() -> None:
    """TCP_USER_TIMEOUT ends one whose window opens by less than the next piece of data."""
    async with serving() as served, served.dial():
        (connection,) = served.connections
        own = connection.transport.get_extra_info("socket")
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 0


async def test_an_event_stream_is_kept_without_an_answer() -> None:
    """It cannot answer; TCP's acknowledgement is its sign of life."""
    async with serving(heartbeat_s=0.2) as served, served.dial(request("/events")) as stream:
        loop = asyncio.get_running_loop()
        got = b""
        async with asyncio.timeout(10):
            while got.count(b'"heartbeat"') < 5:
                got += await loop.sock_recv(stream, 1 << 16)
        assert served.clients == 1
