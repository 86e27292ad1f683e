"""Rude, silent and dead browsers before a real server in this process, with fast pings."""

import asyncio
import contextlib
import gc
import json
import logging
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.transport import connections, websocket
from gateway.transport.connection import ClientConnection
from gateway.transport.request_parser import MAX_HTTP_REQUEST_BYTES
from tests.gateway import PING, TEXT, client_frame, close_code, handshake, parse_frames, request
from tests.unit.gateway.servers import read_to_end, serving
from tests.waiting import until

PING_S = 0.6
BIG = 40_000


@pytest.mark.parametrize("sent", [handshake(), request("/events")], ids=["websocket", "events"])
async def test_a_browser_that_neither_reads_nor_answers_is_let_go(sent: bytes) -> None:
    """However much waits for it: a close that waited until that is read would wait for ever."""
    async with serving(heartbeat_s=PING_S) as served, served.dial(sent):
        await until(lambda: served.clients == 1, "in")
        for _ in range(100):
            served.publish(pad=BIG)
            await asyncio.sleep(0)
        await until(lambda: served.clients == 0, "let go")


async def test_a_browser_that_is_silent_and_owed_nothing_is_let_go() -> None:
    """Half-open: its machine is gone, and nobody said so."""
    async with serving(heartbeat_s=PING_S) as served, served.dial():
        await until(lambda: served.clients == 0, "let go")


async def test_a_browser_that_talks_but_answers_no_ping_is_let_go() -> None:
    """Who answers is alive; who only talks may be a program that nobody looks at."""
    async with serving(heartbeat_s=PING_S) as served, served.dial() as rude:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(10):
            while served.clients:
                await loop.sock_sendall(rude, client_frame(TEXT, b'{"type":"ping","sent":1}'))
                await asyncio.sleep(0.01)


async def test_a_browser_that_reads_slowly_is_kept() -> None:
    """The ping is behind what it has still to read, and it does read."""
    async with serving(heartbeat_s=PING_S) as served, served.dial() as slow:
        loop = asyncio.get_running_loop()
        begun, got = loop.time(), 0
        while loop.time() - begun < 6 * PING_S:
            served.publish(f"cloud-{got % 7}", pad=BIG)
            got += len(await loop.sock_recv(slow, 4096))
            await asyncio.sleep(0.001)
            assert served.clients == 1

        assert got > 1 << 19, "too slow to say anything"
        assert served.count("conflated_total") > 0


async def test_an_event_stream_is_kept_without_a_word_from_it() -> None:
    """It has none to say."""
    async with serving(heartbeat_s=0.2) as served, served.dial(request("/events")) as stream:
        loop = asyncio.get_running_loop()
        got = b""
        async with asyncio.timeout(10):
            while got.count(b'"heartbeat"') < 5:
                got += await loop.sock_recv(stream, 1 << 16)
        assert served.clients == 1


async def test_who_connects_and_says_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds a file descriptor for nothing."""
    monkeypatch.setattr(connections, "REQUEST_HEADER_TIMEOUT_S", 0.2)
    async with serving(heartbeat_s=1.0) as served, served.dial(b"") as silent:
        with contextlib.suppress(ConnectionResetError):
            assert await read_to_end(silent) == b""
        assert served.registry.pending == 0


async def test_who_says_nothing_takes_nobodys_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that has said nothing for the longest goes for who comes."""
    monkeypatch.setattr(connections, "MAX_PENDING", 2)
    async with serving(max_connections=3) as served, AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(served.dial(b"")) for _ in range(3)]
        await until(lambda: served.registry.pending == 3, "connected")
        async with served.dial():
            assert await read_to_end(silent[0]) == b""
            assert served.clients == 1
            assert served.registry.pending == 2


async def test_when_it_is_full_who_comes_is_told_to_come_back() -> None:
    """With the code for it; who is in stays in."""
    loop = asyncio.get_running_loop()
    async with serving(max_clients=1) as served, served.dial() as first:
        got = b""
        async with asyncio.timeout(10):
            while b'"snapshot"' not in got:
                got += await loop.sock_recv(first, 4096)
        async with served.dial(handshake()) as second:
            got = b""
            async with asyncio.timeout(10):
                while close_code(got) is None:
                    got += await loop.sock_recv(second, 4096)
        assert served.core.dispatcher.subscriber_count == 1
        assert served.count("refused_total", code="1013") == 1

    assert close_code(got) == 1013
    assert b"try again later" in parse_frames(got)[0][1]


@pytest.mark.parametrize(
    "head",
    [
        lambda: b"GET /" + b"x" * 2 * MAX_HTTP_REQUEST_BYTES,
        lambda: b"GET / HTTP/1.1\r\nX: " + b"x" * 2 * MAX_HTTP_REQUEST_BYTES,
        lambda: b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * MAX_HTTP_REQUEST_BYTES,
        lambda: (
            b"POST / HTTP/1.1\r\nContent-Length: 999999\r\n\r\n" + b"x" * 3 * MAX_HTTP_REQUEST_BYTES
        ),
        lambda: (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
            + b"X: 1\r\n" * MAX_HTTP_REQUEST_BYTES
        ),
        lambda: (
            b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nX: " + b"x" * 2 * MAX_HTTP_REQUEST_BYTES
        ),
    ],
    ids=["path", "header", "headers", "body", "trailers", "handshake"],
)
async def test_a_request_that_does_not_end_is_ended(head: Callable[[], bytes]) -> None:
    """In whichever of its parts it goes on and on."""
    async with serving() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(head())
        async with asyncio.timeout(10):
            try:
                while await reader.read(1 << 16):
                    pass
            except ConnectionError:
                pass
        writer.close()


async def test_requests_of_a_fair_size_are_served_one_after_the_other() -> None:
    """The bound is for each of them."""
    head = (
        b"GET /nothing HTTP/1.1\r\nHost: x\r\nX: "
        + b"x" * (MAX_HTTP_REQUEST_BYTES // 2)
        + b"\r\n\r\n"
    )
    async with serving() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        async with asyncio.timeout(10):
            for _ in range(5):
                writer.write(head)
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 404 ")
                await reader.readexactly(len("Not Found"))
        writer.close()


@pytest.mark.parametrize("cut", [1, 40, 150, -1])
@pytest.mark.parametrize(
    ("sent", "answered"),
    [(handshake(), b"HTTP/1.1 101 "), (request("/events"), b"HTTP/1.1 200 ")],
    ids=["websocket", "events"],
)
async def test_a_request_in_pieces_is_served_as_a_whole_one(
    sent: bytes, answered: bytes, cut: int
) -> None:
    """Whoever sees the connection first."""
    async with serving() as served, served.dial(sent[:cut]) as slow:
        loop = asyncio.get_running_loop()
        await until(lambda: served.registry.pending == 0, "heard")
        await loop.sock_sendall(slow, sent[cut:])
        got = b""
        async with asyncio.timeout(10):
            while b'"snapshot"' not in got:
                got += await loop.sock_recv(slow, 4096)

    assert got.startswith(answered)


async def test_what_is_said_before_the_answer_is_read_after_it() -> None:
    """A browser must wait for the answer; one that does not is not misread for that."""
    ping = client_frame(TEXT, b'{"type":"ping","sent":7}')
    async with serving() as served, served.dial(handshake() + ping) as eager:
        got = b""
        async with asyncio.timeout(10):
            while b'"pong"' not in got:
                got += await asyncio.get_running_loop().sock_recv(eager, 4096)

    assert [payload[:18] for _, payload in parse_frames(got)] == [
        b'{"type":"snapshot"',
        b'{"type":"pong","se',
    ]


async def test_a_stream_is_not_begun_behind_a_request_that_is_being_answered() -> None:
    """Its answer would be lost in the events."""
    both = request("/nothing") + request("/events")
    async with serving() as served, served.dial(both) as plain:
        loop = asyncio.get_running_loop()
        got = b""
        async with asyncio.timeout(10):
            while got.count(b"HTTP/1.1 ") < 2:
                got += await loop.sock_recv(plain, 4096)

    assert got.count(b"HTTP/1.1 404 ") == 2  # of this test's application, which knows no path
    assert b"snapshot" not in got


async def test_a_websocket_is_not_begun_behind_a_request_that_is_being_answered() -> None:
    """Its answer would come in between the frames."""
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(_request: Request) -> Response:
        begun.set()
        await may_end.wait()
        return Response("the page")

    app = Starlette(routes=[Route("/page", slow)])
    async with serving(app=app) as served, served.dial(request("/page") + handshake()) as plain:
        await until(begun.is_set, "begun")
        assert served.clients == 0
        may_end.set()
        got = b""
        async with asyncio.timeout(10):
            while got.count(b"HTTP/1.1 ") < 2:
                got += await asyncio.get_running_loop().sock_recv(plain, 4096)

    first, _, second = got.partition(b"the page")
    assert first.startswith(b"HTTP/1.1 200 ")
    assert second.startswith(b"HTTP/1.1 404 ")  # of this test's application
    assert b"snapshot" not in got


@pytest.mark.parametrize("path", ["/ws", "/events"])
async def test_a_browser_that_cannot_be_made_closes_nobody_elses_connection(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file descriptor is its transport's: closed twice, it may be another's the second time."""

    def fail(_client: ClientConnection) -> None:
        raise ValueError("no room")

    sent = handshake() if path == "/ws" else request(path)
    async with serving() as served:
        monkeypatch.setattr(served.registry, "register", fail)
        async with served.dial(sent) as plain:
            with contextlib.suppress(ConnectionResetError):
                assert await read_to_end(plain) == b""
        gc.collect()  # what closes then says so by a ResourceWarning, which is an error here


async def test_old_http_gets_events_until_the_end() -> None:
    """A proxy that speaks HTTP/1.0 knows no chunks."""
    old = request("/events").replace(b"HTTP/1.1", b"HTTP/1.0")
    async with serving() as served, served.dial(old) as stream:
        loop = asyncio.get_running_loop()
        got = b""
        async with asyncio.timeout(10):
            while b'"snapshot"' not in got:
                got += await loop.sock_recv(stream, 4096)
        served.core.dispatcher.announce_restart()
        got += await read_to_end(stream)

    head, _, body = got.partition(b"\r\n\r\n")
    assert b"connection: close" in head
    assert b"transfer-encoding" not in head
    assert body.startswith(b"retry: ")
    assert body.endswith(b"\n\n")


async def test_a_browser_that_breaks_the_protocol_logs_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever it is that it breaks; and it gets the code for that."""
    bad = {
        b"\x81\x82\0\0\0\0\xff\xfe": 1007,
        b"\xf1\x80\0\0\0\0": 1002,
        b"\x81\xff" + b"\x7f" * 12: 1009,
    }
    with caplog.at_level(logging.WARNING):
        async with serving() as served:
            for frame, code in bad.items():
                async with served.dial() as rude:
                    await asyncio.get_running_loop().sock_sendall(rude, frame)
                    assert close_code(await read_until_closed(rude)) == code
                await until(lambda: served.clients == 0, "gone")

    assert caplog.records == []


async def read_until_closed(plain: socket.socket) -> bytes:
    """All until a close frame."""
    got = b""
    async with asyncio.timeout(10):
        while close_code(got) is None:
            data = await asyncio.get_running_loop().sock_recv(plain, 1 << 16)
            assert data, "ended without a close frame"
            got += data
    return got


async def test_a_browser_that_breaks_the_protocol_is_read_on_until_it_has_the_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Closed with something unread, TCP would send a reset, and the code be lost with it."""
    monkeypatch.setattr(websocket, "LINGER_S", 5.0)
    async with serving() as served, served.dial() as rude:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(rude, b"\x81\xff" + b"\x7f" * 12)
        for _ in range(20):
            await loop.sock_sendall(rude, b"x" * 50_000)
        rude.shutdown(socket.SHUT_WR)
        got = await read_to_end(rude)

    assert b"\x03\xf1" in got  # 1009


async def test_a_browser_that_does_not_answer_a_close_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has had its time."""
    monkeypatch.setattr(websocket, "CLOSE_TIMEOUT_S", 0.3)
    async with serving() as served, served.dial() as rude:
        await asyncio.get_running_loop().sock_sendall(rude, client_frame(TEXT, b"garbage"))
        await until(lambda: served.clients == 0, "ended")


async def test_pings_of_one_that_does_not_read_are_not_gathered() -> None:
    """Only the newest is answered, when it reads; a flood of pings fills no memory."""
    async with serving() as served, served.dial() as rude:
        loop = asyncio.get_running_loop()
        (browser,) = served.connections
        for number in range(12):
            served.publish(f"cloud-{number}", pad=BIG)
            await asyncio.sleep(0.01)
        await until(lambda: browser.is_paused, "is_paused")
        before = browser.transport.get_write_buffer_size()
        for number in range(200):
            await loop.sock_sendall(rude, client_frame(PING, b"%d" % number + b"p" * 100))
            await loop.sock_sendall(rude, client_frame(TEXT, b'{"type":"ping","sent":%d}' % number))
        await asyncio.sleep(0.1)
        assert browser.transport.get_write_buffer_size() <= before
        got = b""
        async with asyncio.timeout(10):
            while b'"pong","sent":199' not in got:
                got += await loop.sock_recv(rude, 1 << 16)

    assert got.count(b'"pong"') == 1
    assert got.count(b"p" * 100) == 1


async def test_one_who_does_not_read_holds_no_more_than_its_buffers() -> None:
    """However much is said: a frame at most goes over the mark."""
    async with serving() as served, served.dial() as rude:
        (browser,) = served.connections
        for number in range(500):
            served.publish(f"cloud-{number % 10}", pad=BIG)
            await asyncio.sleep(0)
        assert browser.is_paused
        assert browser.transport.get_write_buffer_size() < 65_536 + 2 * BIG
        assert rude.fileno() > 0


@pytest.mark.parametrize("path", ["/ws", "/events"])
async def test_one_that_reads_now_and_then_never_gets_half_a_frame(path: str) -> None:
    """Some of a frame is taken at once and the rest waits; nothing else may come in between."""
    sent = handshake() if path == "/ws" else request(path)
    async with serving(heartbeat_s=0.1) as served, served.dial(sent) as slow:
        loop = asyncio.get_running_loop()
        got = b""
        async with asyncio.timeout(20):
            for number in range(400):
                served.publish(f"cloud-{number % 9}", pad=BIG if number % 3 else 100)
                if number % 50 == 0:
                    served.core.dispatcher.announce_broker("offline" if number % 100 else "online")
                got += await loop.sock_recv(slow, 30_000)
                await asyncio.sleep(0)
            served.publish("the-last")
            while b'"the-last"' not in got:
                got += await loop.sock_recv(slow, 1 << 16)
        assert served.count("conflated_total") > 0, "it never stopped reading"

    if path == "/ws":
        frames = [json.loads(payload) for opcode, payload in parse_frames(got) if opcode == TEXT]
    else:
        body = unchunked(got.partition(b"\r\n\r\n")[2])
        data = (line for line in body.split(b"\n") if line.startswith(b"data: "))
        frames = [json.loads(line[6:]) for line in data]
    last: dict[str, str] = {}
    for frame in frames:
        for state in frame.get("pillows", ()):
            assert state["at"] >= last.get(state["pillow"], ""), "a pillow went backwards"
            last[state["pillow"]] = state["at"]
    assert "the-last" in last


def unchunked(body: bytes) -> bytes:
    """A response's body, out of its chunks."""
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        whole += body[: int(size, 16)]
        assert body[int(size, 16) :][:2] == b"\r\n"
        body = body[int(size, 16) + 2 :]
    return whole


async def test_what_was_asked_before_on_the_same_connection_comes_first() -> None:
    """Its answer waits for one that does not read; so does everything else then."""
    page = bytes(3_000_000)

    async def large(_request: Request) -> Response:
        return Response(page)

    app = Starlette(routes=[Route("/page", large)])
    async with serving(app=app) as served, served.dial(request("/page")) as slow:
        loop = asyncio.get_running_loop()
        got = await loop.sock_recv(slow, 100)
        await loop.sock_sendall(slow, handshake())
        await until(lambda: served.clients == 1, "in")
        for number in range(20):
            served.publish(f"cloud-{number}")
            await asyncio.sleep(0)
        async with asyncio.timeout(20):
            while b"cloud-19" not in got:
                got += await loop.sock_recv(slow, 1 << 16)

    before, _, after = got.partition(page)
    assert before.startswith(b"HTTP/1.1 200 OK\r\n")
    assert after.startswith(b"HTTP/1.1 101 ")
    assert all(opcode == TEXT for opcode, _ in parse_frames(after))
