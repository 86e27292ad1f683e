"""HTTP from clients that are odd but right, and from those that are rude."""

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from gateway.transport import connections
from gateway.transport.request_parser import MAX_PIPELINED, origin_form
from tests.gateway import handshake, request
from tests.unit.gateway.servers import Served, read_to_end, serving
from tests.waiting import until

BARE = handshake().replace(b"Host: x\r\n", b"")
SHAKEN = b"HTTP/1.1 101 "


async def answer(served: Served, said: bytes, end: bytes = b"\r\n\r\n") -> bytes:
    """What comes back first, up to `end` or the connection's end."""
    got = b""
    async with served.dial(said, receive_buffer=1 << 18) as plain, asyncio.timeout(10):
        while end not in got and (data := await read_some(plain)):
            got += data
    return got


async def read_some(plain: socket.socket) -> bytes:
    """A piece of what comes."""
    return await asyncio.get_running_loop().sock_recv(plain, 1 << 16)


@pytest.mark.parametrize("second", [request("/nothing", "Origin: http://evil"), handshake()])
@pytest.mark.parametrize("cut", [0, 1])
async def test_nothing_is_answered_behind_an_event_stream(second: bytes, cut: int) -> None:
    """A response without an end is the last on its connection; another's headers are not its."""
    first = request("/events")
    async with serving() as served, served.dial(first[:cut]) as plain:
        loop = asyncio.get_running_loop()
        if cut:
            await until(lambda: served.registry.pending == 0, "the first piece heard")
        await loop.sock_sendall(plain, first[cut:] + second)
        got = b""
        async with asyncio.timeout(10):
            while b"snapshot" not in got:
                got += await read_some(plain)
        served.publish("cloud-1")
        async with asyncio.timeout(10):
            while b'"update"' not in got:
                got += await read_some(plain)
    assert got.startswith(b"HTTP/1.1 200 ")
    assert got.count(b"HTTP/1.1") == 1
    assert b"evil" not in got


@pytest.mark.parametrize(
    "said",
    [
        BARE,
        handshake("/ws", "Host: y"),
        request("/nothing").replace(b"Host: x\r\n", b""),
        request("/nothing", "Host: y"),
        request("/events").replace(b"Host: x\r\n", b""),
        request("/events", "Host: y"),
    ],
)
async def test_a_request_names_one_host(said: bytes) -> None:
    """RFC 9112 §3.2."""
    async with serving() as served:
        assert (await answer(served, said)).startswith(b"HTTP/1.1 400 ")


async def test_old_http_need_not_name_a_host() -> None:
    """There was no such header."""
    async with serving() as served:
        got = await answer(served, b"GET /events HTTP/1.0\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "said",
    [
        handshake().replace(b"Upgrade\r\n", b"Upgrade\r\nConnection: keep-alive\r\n"),
        handshake().replace(b"Connection:", b"Connection: keep-alive\r\nConnection:"),
        handshake().replace(b"GET /ws", b"GET http://x/ws"),
        handshake("/ws?pillow=a").replace(b"GET /ws", b"GET HTTP://x:80/ws"),
    ],
)
async def test_a_handshake_may_be_said_in_other_ways(said: bytes) -> None:
    """As proxies do."""
    async with serving() as served:
        assert (await answer(served, said)).startswith(SHAKEN)


async def test_events_may_be_asked_for_as_of_a_proxy() -> None:
    """RFC 9112 §3.2.2: a server takes a whole address, too."""
    async with serving() as served:
        got = await answer(served, request("http://x/events"))
    assert got.startswith(b"HTTP/1.1 200 ")
    assert b"text/event-stream" in got


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/ws?a=http://b/c", b"/ws?a=http://b/c"),
        (b"http://x/ws?a=b", b"/ws?a=b"),
        (b"http://x", b"/"),
        (b"*", b"*"),
    ],
)
def test_the_target_is_the_path_and_the_query(target: bytes, expected: bytes) -> None:
    """Whichever way it is said."""
    assert origin_form(target) == expected


class Slow:
    """An application that answers when it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.may = asyncio.Event()
        self.app = Starlette(routes=[Route("/slow", self.serve)])

    async def serve(self, _request: Request) -> Response:
        """Count, and wait."""
        self.asked += 1
        await self.may.wait()
        return PlainTextResponse("done")


async def test_who_asks_on_and_on_without_waiting_is_ended() -> None:
    """What waits to be answered is kept, and so is never much."""
    slow = Slow()
    async with (
        serving(app=slow.app) as served,
        served.dial(request("/slow") * (MAX_PIPELINED + 2)) as rude,
    ):
        with contextlib.suppress(ConnectionError):
            assert await read_to_end(rude) == b""
        slow.may.set()


async def test_requests_that_wait_are_answered_before_more_are_read() -> None:
    """One response does not make room for another piece full of requests."""
    slow = Slow()
    async with (
        serving(app=slow.app) as served,
        served.dial(request("/slow") * MAX_PIPELINED) as eager,
    ):
        await until(lambda: slow.asked == 1, "asked")
        slow.may.set()
        await asyncio.get_running_loop().sock_sendall(eager, request("/slow"))
        got = b""
        async with asyncio.timeout(10):
            while got.count(b"done") < MAX_PIPELINED + 1:
                got += await read_some(eager)
    assert slow.asked == MAX_PIPELINED + 1


async def test_who_goes_before_several_answers_logs_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """uvicorn would have them written to a connection that is closed."""
    asked = 0
    may = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x"
            await asyncio.sleep(0)

    async def serve(_request: Request) -> Response:
        nonlocal asked
        asked += 1
        await may.wait()
        return StreamingResponse(pieces())

    with caplog.at_level(logging.WARNING):
        async with serving(app=Starlette(routes=[Route("/slow", serve)])) as served:
            async with served.dial(request("/slow") * 3) as rude:
                await until(lambda: asked == 1, "asked")
                rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            may.set()
            await until(lambda: served.registry.http == 0, "gone")
    assert asked == 1
    assert not caplog.records


async def test_a_body_that_trickles_holds_its_connection_no_longer_than_a_head_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Though it has its answer: each byte would begin the wait for the next request anew."""
    monkeypatch.setattr(connections, "REQUEST_HEADER_TIMEOUT_S", 0.3)
    said = request("/nothing", "Content-Length: 1000", method="POST")
    async with serving() as served, served.dial(said) as rude:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(10):
                while await loop.sock_recv(rude, 1 << 16):
                    await loop.sock_sendall(rude, b"x")


async def test_an_event_stream_or_a_websocket_is_under_no_such_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their requests have ended, and their connections begin."""
    monkeypatch.setattr(connections, "REQUEST_HEADER_TIMEOUT_S", 0.1)
    async with (
        serving() as served,
        served.dial(request("http://x/events", "Content-Length: 9")),
        served.dial(handshake("/ws", "Connection: keep-alive")),
    ):
        await until(lambda: served.clients == 2, "in")
        await asyncio.sleep(0.3)
        assert served.clients == 2
