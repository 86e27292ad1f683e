"""The HTTP protocol: upgrades, deadlines and refusals, on real sockets."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

import pytest

from contract.frames import MAX_SUBSCRIBED
from gateway.transport.request_parser import MAX_HTTP_REQUEST_BYTES
from tests.gateway import TEXT, client_frame, handshake, parse_frames, request
from tests.unit.gateway.servers import Served, read_to_end, read_until, serving
from tests.waiting import until


async def receive(served: Served, sent: bytes, end: bytes = b"\r\n\r\n") -> bytes:
    """Send a request; return what is received up to `end`, or until the connection ends."""
    got = b""
    async with served.dial(sent, receive_buffer=1 << 18) as client, asyncio.timeout(10):
        loop = asyncio.get_running_loop()
        while end not in got and (data := await loop.sock_recv(client, 1 << 16)):
            got += data
    return got


@pytest.mark.parametrize("cut", [1, 10, 30, -1])
@pytest.mark.parametrize(
    ("sent", "status"),
    [(handshake(), b"HTTP/1.1 101 "), (request("/events"), b"HTTP/1.1 200 ")],
    ids=["websocket", "events"],
)
async def test_a_request_in_pieces_is_upgraded_as_a_whole_one(
    sent: bytes, status: bytes, cut: int
) -> None:
    """The response head and the first frame are all that is sent."""
    async with serving() as served, served.dial(sent[:cut]) as client:
        loop = asyncio.get_running_loop()
        await served.wait_until_read()
        await loop.sock_sendall(client, sent[cut:])
        got = await read_until(client, b'"snapshot"')

    assert got.startswith(status)
    assert got.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("sent", [handshake(), handshake("/ws", "Connection: keep-alive")])
async def test_the_first_frame_follows_the_response_directly(sent: bytes) -> None:
    """RFC 6455 §4.2.2; for a cached handshake and for one that is parsed."""
    async with serving() as served:
        head, _, rest = (await receive(served, sent, b'"snapshot"')).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"\r\nupgrade: websocket" in head.lower()
    assert b"\r\nconnection: upgrade" in head.lower()
    assert rest[0] == 0x81


async def test_a_message_sent_before_the_response_is_answered() -> None:
    """A client must wait for the response; what it sends early is not lost."""
    ping = client_frame(TEXT, b'{"type":"ping","sent":7}')
    async with serving() as served:
        got = await receive(served, handshake() + ping, b'"pong"')

    assert [payload[:18] for _, payload in parse_frames(got)] == [
        b'{"type":"snapshot"',
        b'{"type":"pong","se',
    ]


async def test_a_query_of_as_many_pillows_as_allowed_is_accepted() -> None:
    """Each with the longest id: 71 kB."""
    query = "&".join(f"pillow={number:04}{'x' * 59}" for number in range(MAX_SUBSCRIBED))
    async with serving() as served:
        for path, status in (("/ws", b"HTTP/1.1 101 "), ("/events", b"HTTP/1.1 200 ")):
            sent = handshake(f"/ws?{query}") if path == "/ws" else request(f"/events?{query}")
            assert (await receive(served, sent, b'"snapshot"')).startswith(status)


async def test_a_refused_handshake_is_answered_and_logs_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """test_handshake has all reasons."""
    with caplog.at_level(logging.WARNING):
        async with serving() as served:
            got = await receive(served, handshake("/ws", "Sec-WebSocket-Version: 8"), b"never")
            await until(lambda: len(served.registry) == 0, "unregistered")

    assert got.startswith(b"HTTP/1.1 400 ")
    assert not caplog.records


@pytest.mark.parametrize(
    ("sent", "is_chunked"),
    [
        (request("/events"), True),
        (request("http://localhost/events"), True),
        (request("/events", "Content-Length: 9"), True),
        (request("/events").replace(b"HTTP/1.1", b"HTTP/1.0"), False),
        (b"GET /events HTTP/1.0\r\n\r\n", False),
    ],
    ids=["origin form", "absolute form", "with a body", "HTTP/1.0", "HTTP/1.0 without a host"],
)
async def test_an_event_stream_is_chunked_for_http_1_1_only(sent: bytes, is_chunked: bool) -> None:
    """For HTTP/1.0 it ends with the connection."""
    async with serving() as served, served.dial(sent) as stream:
        got = await read_until(stream, b'"snapshot"')
        served.core.dispatcher.announce_restart()
        got += await read_to_end(stream)

    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"\r\ndate: " in head
    assert (b"transfer-encoding: chunked" in head) is is_chunked
    assert (b"connection: close" in head) is not is_chunked
    assert b"retry: " in body.partition(b"\n\n")[0]
    assert body.endswith(b"0\r\n\r\n" if is_chunked else b"\n\n")


@pytest.mark.parametrize("second", [request("/nothing", "Origin: http://evil"), handshake()])
@pytest.mark.parametrize("cut", [0, 1])
async def test_a_request_behind_an_event_stream_is_ignored(second: bytes, cut: int) -> None:
    """The stream's response has no end, and another request's origin is not the stream's."""
    first = request("/events")
    async with serving() as served, served.dial(first[:cut]) as client:
        loop = asyncio.get_running_loop()
        if cut:
            await served.wait_until_read()
        await loop.sock_sendall(client, first[cut:] + second)
        got = await read_until(client, b"snapshot")
        served.publish("cloud-1")
        got += await read_until(client, b'"update"')
    assert got.startswith(b"HTTP/1.1 200 ")
    assert got.count(b"HTTP/1.1") == 1
    assert b"evil" not in got


@pytest.mark.parametrize(
    "sent",
    [
        lambda: b"GET /" + b"x" * 2 * MAX_HTTP_REQUEST_BYTES,
        lambda: b"POST / HTTP/1.1\r\nContent-Length: 999999\r\n\r\n" + b"x" * 400_000,
        lambda: b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nX: " + b"x" * 400_000,
    ],
    ids=["target", "body", "handshake"],
)
async def test_a_request_above_the_limit_ends_the_connection(sent: Callable[[], bytes]) -> None:
    """test_request_parser has every part of a request."""
    async with serving() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(sent())
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError):
                while await reader.read(1 << 16):
                    pass
        writer.close()


async def test_the_request_limit_is_for_each_request_of_a_connection() -> None:
    """Ten of a tenth of the limit are served."""
    head = request("/nothing", "X: " + "x" * (MAX_HTTP_REQUEST_BYTES // 10))
    async with serving() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        async with asyncio.timeout(10):
            for _ in range(10):
                writer.write(head)
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 404 ")
                await reader.readexactly(len("Not Found"))
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [b"GET / HTTP/1.1\r\nHost: x\r\n", b"\r\n", request() + b"GET /"],
    ids=["half a head", "an empty line", "half a second request"],
)
async def test_an_incomplete_request_is_ended_by_its_deadline(sent: bytes) -> None:
    """GATEWAY_REQUEST_TIMEOUT from its first byte."""
    async with serving(request_s=0.3) as served, served.dial(sent) as client:
        with contextlib.suppress(ConnectionError):
            await read_to_end(client)
        await until(lambda: len(served.registry) == 0, "unregistered")
        assert served.count("connection_limit_reached_total", limit="request") == 1


async def test_a_body_that_trickles_is_ended_by_the_deadline() -> None:
    """Though it has its response: each byte would restart uvicorn's keep-alive timeout."""
    sent = request("/nothing", "Content-Length: 1000", method="POST")
    async with serving(request_s=0.3) as served, served.dial(sent) as client:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(10):
                while await loop.sock_recv(client, 1 << 16):
                    await loop.sock_sendall(client, b"x")


async def test_an_upgraded_connection_has_no_deadline() -> None:
    """Nor uvicorn's keep-alive timeout, if it has served a request before."""
    timeout_s = 0.1
    async with (
        serving(request_s=timeout_s) as served,
        served.dial(request("http://localhost/events", "Content-Length: 9")),
        served.dial(handshake("/ws", "Connection: keep-alive")),
    ):
        await until(lambda: served.clients == 2, "registered")
        loop = asyncio.get_running_loop()
        passed = loop.create_future()
        loop.call_later(3 * timeout_s, passed.set_result, None)
        await passed
        assert served.clients == 2


async def test_a_stream_above_the_limit_is_refused_with_503_however_long_its_address() -> None:
    """Answered with 400 or 414, as another request could be, a client would not come back."""
    query = "&".join(f"pillow={number:063}" for number in range(MAX_SUBSCRIBED))
    async with serving(max_clients=1) as served, served.dial():
        for target in ("/events", f"/events?{query}"):
            async with served.dial(request(target)) as refused:
                got = await read_to_end(refused)

            assert got.startswith(b"HTTP/1.1 503 ")
            assert b"try again later" in got
        assert served.count("refused_total", code="1013") == 2
