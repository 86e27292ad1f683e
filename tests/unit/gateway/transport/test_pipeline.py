"""Pipelining: several requests on one connection, on real sockets."""

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

from gateway.transport.http_protocol import HttpProtocol
from gateway.transport.request_limits import MAX_PIPELINED
from tests.gateway import handshake, request
from tests.unit.gateway.servers import read_to_end, serving
from tests.waiting import until


class Application:
    """An application whose responses wait for `may_respond`."""

    def __init__(self) -> None:
        self.requests = 0
        self.bodies: list[bytes] = []
        self.may_respond = asyncio.Event()
        self.app = Starlette(
            routes=[
                Route("/slow", self.slow),
                Route("/echo", self.echo, methods=["POST"]),
                Route("/stream", self.stream),
            ]
        )

    async def slow(self, _request: Request) -> Response:
        """Respond when it is allowed."""
        self.requests += 1
        await self.may_respond.wait()
        return PlainTextResponse("done")

    async def echo(self, request: Request) -> Response:
        """Respond with the body."""
        self.bodies.append(await request.body())
        return PlainTextResponse("done")

    async def stream(self, _request: Request) -> Response:
        """Respond in pieces when it is allowed."""
        self.requests += 1
        await self.may_respond.wait()

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b"x"
                await asyncio.sleep(0)

        return StreamingResponse(pieces())


async def receive(client: socket.socket, end: bytes, count: int = 1) -> bytes:
    """Return what is received until `end` is in it so many times."""
    got = b""
    async with asyncio.timeout(10):
        while got.count(end) < count:
            data = await asyncio.get_running_loop().sock_recv(client, 1 << 16)
            assert data, f"ended after {got[-200:]!r}"
            got += data
    return got


async def test_requests_above_max_pipelined_end_the_connection() -> None:
    """What waits is kept in memory."""
    application = Application()
    async with (
        serving(app=application.app) as served,
        served.dial(request("/slow") * (MAX_PIPELINED + 2)) as client,
    ):
        with contextlib.suppress(ConnectionError):
            assert await read_to_end(client) == b""
        application.may_respond.set()
        assert served.count("connection_limit_reached_total", limit="pipelined") == 1


async def test_waiting_requests_are_answered_before_more_are_read() -> None:
    """One response does not make room for another piece full of requests."""
    application = Application()
    async with (
        serving(app=application.app) as served,
        served.dial(request("/slow") * MAX_PIPELINED) as client,
    ):
        await until(lambda: application.requests == 1, "first request")
        application.may_respond.set()
        await asyncio.get_running_loop().sock_sendall(client, request("/slow"))
        await receive(client, b"done", MAX_PIPELINED + 1)
    assert application.requests == MAX_PIPELINED + 1


async def test_the_end_of_a_rest_reads_no_more_while_requests_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More are read when those are answered."""
    accepted: list[HttpProtocol] = []
    accept = HttpProtocol.connection_made

    def noting(self: HttpProtocol, transport: asyncio.Transport) -> None:
        accepted.append(self)
        accept(self, transport)

    monkeypatch.setattr(HttpProtocol, "connection_made", noting)
    application = Application()
    async with serving(app=application.app) as served, served.dial(request("/slow")) as client:
        await until(lambda: application.requests == 1, "the first is being answered")
        (connection,) = accepted
        await asyncio.get_running_loop().sock_sendall(client, request("/slow"))
        await until(lambda: not connection.transport.is_reading(), "the second waits")
        connection.read_again()
        assert not connection.transport.is_reading()
        application.may_respond.set()
        await receive(client, b"done", 2)
        await until(connection.transport.is_reading, "more are read")


@pytest.mark.parametrize("piece_bytes", [1, 7, 10_000])
async def test_bodies_reach_the_application_unchanged(piece_bytes: int) -> None:
    """With a length and chunked, behind each other, however they are cut."""
    application = Application()
    sent = (
        request("/echo", "Content-Length: 3", method="POST")
        + b"abc"
        + request("/echo", "Transfer-Encoding: chunked", method="POST")
        + b"2\r\nde\r\n3\r\nfgh\r\n0\r\n\r\n"
        + request("/echo", "Content-Length: 0", method="POST")
    )
    async with serving(app=application.app) as served, served.dial(b"") as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(sent), piece_bytes):
            await asyncio.get_running_loop().sock_sendall(client, sent[at : at + piece_bytes])
        await receive(client, b"done", 3)
    assert application.bodies == [b"abc", b"defgh", b""]


async def test_a_reset_before_several_responses_logs_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The waiting requests are dropped, and the application learns of the end."""
    application = Application()
    with caplog.at_level(logging.WARNING):
        async with serving(app=application.app) as served:
            async with served.dial(request("/stream") * 3) as client:
                await until(lambda: application.requests == 1, "first request")
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            application.may_respond.set()
            await until(lambda: len(served.registry) == 0, "unregistered")
    assert application.requests == 1
    assert not caplog.records


@pytest.mark.parametrize("second", [handshake("/slow"), request("/events")], ids=["ws", "events"])
async def test_a_connection_is_not_upgraded_while_a_response_is_incomplete(second: bytes) -> None:
    """The application answers the request in its turn, as any other, and the one behind it."""
    application = Application()
    async with (
        serving(app=application.app) as served,
        served.dial(request("/slow") + second + request("/last")) as client,
    ):
        await until(lambda: application.requests == 1, "first request")
        assert served.clients == 0
        application.may_respond.set()
        got = await receive(client, b"HTTP/1.1 ", 3)

    first, _, rest = got.partition(b"done")
    assert first.startswith(b"HTTP/1.1 200 ")
    assert rest.startswith(b"HTTP/1.1 200 " if b"slow" in second else b"HTTP/1.1 404 ")
    assert b"snapshot" not in got


@pytest.mark.parametrize("second", [handshake(), request("/events")], ids=["ws", "events"])
async def test_a_connection_is_upgraded_after_an_ordinary_request(second: bytes) -> None:
    """And is not closed by uvicorn's keep-alive timeout for the request before."""
    application = Application()
    application.may_respond.set()
    loop = asyncio.get_running_loop()
    async with (
        serving(app=application.app, keep_alive_s=1) as served,
        served.dial(request("/slow")) as client,
    ):
        await receive(client, b"done")
        await loop.sock_sendall(client, second)
        await receive(client, b"snapshot")
        passed = loop.create_future()
        loop.call_later(1.5, passed.set_result, None)
        await passed
        assert served.clients == 1


@pytest.mark.parametrize(
    "second",
    [
        b"garbage\r\n\r\n",
        request("/slow", "Host: y"),
        request("/\xff"),
        b"CONNECT x:1 HTTP/1.1\r\n",
    ],
    ids=["garbage", "two hosts", "a target that is not ASCII", "half a CONNECT"],
)
async def test_an_error_behind_a_request_does_not_pass_for_its_response(second: bytes) -> None:
    """The connection is aborted while a response is due."""
    application = Application()
    async with (
        serving(app=application.app, request_s=0.3) as served,
        served.dial(request("/slow") + second) as client,
    ):
        with contextlib.suppress(ConnectionError):
            assert await read_to_end(client) == b""
        application.may_respond.set()


async def test_the_last_request_of_a_connection_is_answered_though_bytes_follow() -> None:
    """`Connection: close` ends the connection behind its response; what follows is dropped."""
    application = Application()
    application.may_respond.set()
    sent = request("/slow", "Connection: close") + request("/slow")
    async with serving(app=application.app) as served, served.dial(sent) as client:
        got = await read_to_end(client)
    assert got.startswith(b"HTTP/1.1 200 ")
    assert got.endswith(b"done")
    assert application.requests == 1


@pytest.mark.parametrize("upgrade", ["h2c", "websocket"])
@pytest.mark.parametrize("first", [b"", request("/slow")], ids=["first", "pipelined"])
async def test_the_body_of_a_request_for_an_upgrade_is_not_taken_for_a_request(
    first: bytes, upgrade: str
) -> None:
    """The parser does not parse it; a proxy that does would be sent a response too many."""
    application = Application()
    headers = ("Connection: Upgrade", f"Upgrade: {upgrade}", f"Content-Length: {len(request())}")
    sent = first + request("/echo", *headers, method="POST") + request("/slow")
    async with serving(app=application.app) as served, served.dial(sent) as client:
        with contextlib.suppress(ConnectionError):
            assert (await read_to_end(client)).count(b"HTTP/1.1 ") == (not first)
        application.may_respond.set()
    assert application.bodies == []
    assert application.requests <= bool(first)


async def test_an_error_in_the_body_of_a_request_is_answered_with_400() -> None:
    """It is the request's own response."""
    sent = request("/echo", "Transfer-Encoding: chunked", method="POST") + b"zz\r\n"
    application = Application()
    async with serving(app=application.app) as served, served.dial(sent) as client:
        got = await read_to_end(client)
    assert got.startswith(b"HTTP/1.1 400 ")
    assert b"no valid HTTP request" in got


async def test_a_response_behind_the_refusal_of_its_body_is_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The refusal has ended the connection, and the application knows nothing of it."""
    application = Application()
    with caplog.at_level(logging.WARNING):
        async with serving(app=application.app) as served:
            sent = request("/slow", "Transfer-Encoding: chunked") + b"zz\r\n"
            async with served.dial(sent) as client, asyncio.timeout(10):
                got = await asyncio.get_running_loop().sock_recv(client, 4096)
                application.may_respond.set()
                assert await read_to_end(client) == b""
    assert got.startswith(b"HTTP/1.1 400 ")
    assert not caplog.records


async def test_a_request_that_arrives_slowly_is_not_cut_by_the_keep_alive_timeout() -> None:
    """That is for idle connections; a request has GATEWAY_REQUEST_TIMEOUT from its first byte."""
    application = Application()
    application.may_respond.set()
    loop = asyncio.get_running_loop()
    second = request("/slow")
    async with (
        serving(app=application.app, keep_alive_s=1) as served,
        served.dial(request("/slow")) as client,
    ):
        await receive(client, b"done")
        await loop.sock_sendall(client, second[:10])
        passed = loop.create_future()
        loop.call_later(1.5, passed.set_result, None)
        await passed
        await loop.sock_sendall(client, second[10:])
        await receive(client, b"done")
    assert application.requests == 2
