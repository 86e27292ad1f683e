"""The hardened protocols under a real server in this process, with pings fast enough to await."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway import protocols
from gateway.protocols import REQUEST_BYTES, HttpProtocol, WebSocketProtocol
from runtime.server import listen, serve_until
from tests.waiting import until

PING_S = 0.3


class Ends:
    """Says how each connection's application ended."""

    def __init__(self, sent: int) -> None:
        self.sent = sent
        self.begun = 0
        self.how: list[str] = []

    async def serve(self, browser: WebSocket) -> None:
        """Send much, then listen until the end."""
        await browser.accept()
        self.begun += 1
        try:
            for _ in range(self.sent):
                await browser.send_text("x" * 60_000)
            while True:
                await browser.receive_text()
        except WebSocketDisconnect as gone:
            self.how.append(f"gone {gone.code}")
        except BaseException as error:
            self.how.append(repr(error))
            raise


@asynccontextmanager
async def serving(ends: Ends) -> AsyncIterator[int]:
    """A server with fast pings; its port."""
    listener = listen("127.0.0.1", 0, "PORT")
    port: int = listener.getsockname()[1]
    stopping = asyncio.Event()
    app = Starlette(routes=[WebSocketRoute("/ws", ends.serve)])
    options: dict[str, Any] = {"ws_ping_interval": PING_S, "ws_ping_timeout": PING_S}
    task = asyncio.ensure_future(
        serve_until(app, listener, stopping, http=HttpProtocol, ws=WebSocketProtocol, **options)
    )
    try:
        yield port
    finally:
        stopping.set()
        async with asyncio.timeout(10):
            await task


HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@asynccontextmanager
async def dialled(port: int) -> AsyncIterator[socket.socket]:
    """A WebSocket that takes little at a time."""
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(plain, ("127.0.0.1", port))
        await loop.sock_sendall(plain, HANDSHAKE)
        yield plain


async def test_a_browser_that_neither_reads_nor_answers_is_let_go() -> None:
    """However much waits for it: a close that waited until that is read would wait for ever."""
    ends = Ends(sent=200)
    async with serving(ends) as port, dialled(port):
        await until(lambda: ends.how == ["gone 1006"], "let go")


async def test_a_browser_that_is_silent_and_owed_nothing_is_let_go() -> None:
    """Half-open: its machine is gone, and nobody said so."""
    ends = Ends(sent=0)
    async with serving(ends) as port, dialled(port):
        await until(lambda: len(ends.how) == 1, "let go")

    assert ends.how[0].startswith("gone ")


async def test_a_browser_that_reads_slowly_is_kept() -> None:
    """The ping is behind what it has still to read, and it does read."""
    ends = Ends(sent=400)
    async with serving(ends) as port, dialled(port) as slow:
        loop = asyncio.get_running_loop()
        begun, got = loop.time(), 0
        while loop.time() - begun < 8 * PING_S:
            got += len(await loop.sock_recv(slow, 1 << 20))
            await asyncio.sleep(0.002)
            assert ends.how == []

    assert got > 1 << 20, "too slow to say anything"


@pytest.mark.parametrize(
    "head",
    [
        lambda: b"GET /" + b"x" * 2 * REQUEST_BYTES,
        lambda: b"GET / HTTP/1.1\r\nX: " + b"x" * 2 * REQUEST_BYTES,
        lambda: b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * REQUEST_BYTES,
        lambda: b"POST / HTTP/1.1\r\nContent-Length: 999999\r\n\r\n" + b"x" * 3 * REQUEST_BYTES,
        lambda: (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
            + b"X: 1\r\n" * REQUEST_BYTES
        ),
    ],
    ids=["path", "header", "headers", "body", "trailers"],
)
async def test_a_request_that_does_not_end_is_ended(head: Callable[[], bytes]) -> None:
    """In whichever of its parts it goes on and on."""
    async with serving(Ends(0)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
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
    head = b"GET /nothing HTTP/1.1\r\nHost: x\r\nX: " + b"x" * (REQUEST_BYTES // 2) + b"\r\n\r\n"
    async with serving(Ends(0)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(10):
            for _ in range(5):
                writer.write(head)
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 404 ")
                await reader.readexactly(len("Not Found"))
        writer.close()


async def test_a_browser_that_breaks_the_protocol_logs_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever it is that it breaks; and its application hears that it is gone."""
    ends = Ends(0)
    bad = [b"\x81\x82\0\0\0\0\xff\xfe", b"\xf1\x80\0\0\0\0", b"\x81\xff" + b"\x7f" * 12]
    with caplog.at_level(logging.WARNING):
        async with serving(ends) as port:
            for frame in bad:
                count = len(ends.how)
                async with dialled(port) as rude:
                    await until(lambda: ends.begun > len(ends.how), "begun")
                    await asyncio.get_running_loop().sock_sendall(rude, frame)
                    await until(lambda count=count: len(ends.how) > count, "ended")  # type: ignore[misc]

    assert ends.how == ["gone 1007", "gone 1002", "gone 1009"]
    assert caplog.records == []


async def read_to_end(plain: socket.socket) -> bytes:
    """All that still comes."""
    got = b""
    async with asyncio.timeout(10):
        while data := await asyncio.get_running_loop().sock_recv(plain, 1 << 16):
            got += data
    return got


async def test_a_browser_that_breaks_the_protocol_is_read_on_until_it_has_the_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Closed with something unread, TCP would send a reset, and the code be lost with it."""
    monkeypatch.setattr(protocols, "LINGER_S", 5.0)
    ends = Ends(0)
    async with serving(ends) as port, dialled(port) as rude:
        await until(lambda: ends.begun == 1, "begun")
        await asyncio.get_running_loop().sock_sendall(rude, b"\x81\xff" + b"\x7f" * 12)
        await until(lambda: ends.how == ["gone 1009"], "ended")
        for _ in range(20):
            await asyncio.get_running_loop().sock_sendall(rude, b"x" * 50_000)
        rude.shutdown(socket.SHUT_WR)
        got = await read_to_end(rude)

    assert b"\x03\xf1" in got  # 1009


async def test_what_waits_for_a_browser_that_breaks_the_protocol_is_dropped_in_silence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The application goes on to send, when it can again, and must only hear that it is gone."""
    monkeypatch.setattr(protocols, "LINGER_S", 5.0)
    ends = Ends(sent=200)
    with caplog.at_level(logging.WARNING):
        async with serving(ends) as port, dialled(port) as rude:
            await until(lambda: ends.begun == 1, "begun")
            await asyncio.get_running_loop().sock_sendall(rude, b"\xf1\x80\0\0\0\0")
            async with asyncio.timeout(10):
                while not ends.how:
                    await asyncio.get_running_loop().sock_recv(rude, 1 << 16)

    assert ends.how == ["gone 1006"]
    assert caplog.records == []
