"""The private server: one request a connection, within limits."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from devstack import ports
from runtime.private_server import MAX_CONNECTIONS, MAX_REQUEST_BYTES, serve_privately
from runtime.security_headers import SECURITY_HEADERS
from runtime.server import listen, url_of

LARGE = "x" * 20_000_000


@asynccontextmanager
async def serving(connection_s: float = 60) -> AsyncIterator[socket.socket]:
    """Serve `/` and `/large`; yield the listening socket."""

    async def small(_request: Request) -> Response:
        return PlainTextResponse("small")

    async def large(_request: Request) -> Response:
        return PlainTextResponse(LARGE)

    app = Starlette(routes=[Route("/", small), Route("/large", large)])
    listener, stopping = listen(ports.HOST, 0, "POLLER_PORT"), asyncio.Event()
    served = asyncio.ensure_future(
        serve_privately(app, listener, stopping, connection_s=connection_s)
    )
    try:
        async with asyncio.timeout(20):
            yield listener
    finally:
        stopping.set()
        await served


async def connect(
    listener: socket.socket, sent: bytes = b""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection and send bytes."""
    reader, writer = await asyncio.open_connection(*listener.getsockname()[:2])
    writer.write(sent)
    return reader, writer


async def ended(reader: asyncio.StreamReader) -> bytes:
    """Wait until the server has ended the connection; return what it sent."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def test_a_response_ends_its_connection_and_is_stored_nowhere() -> None:
    """A second request of the same connection is not answered."""
    twice = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2
    async with serving() as listener:
        reader, writer = await connect(listener, twice)
        got = await ended(reader)
        writer.close()

    assert got.count(b"HTTP/1.1 200") == 1
    assert b"connection: close" in got
    assert b"cache-control: no-store" in got


async def test_a_large_response_arrives_whole() -> None:
    """In as many pieces as its client takes."""
    async with serving() as listener, httpx.AsyncClient() as http:
        answer = await http.get(url_of(listener, "/large"))

    assert len(answer.text) == len(LARGE)


async def test_above_the_limit_of_connections_the_oldest_is_closed() -> None:
    """So that connections which say nothing lock nobody out."""
    async with serving() as listener:
        silent = [await connect(listener) for _ in range(MAX_CONNECTIONS + 3)]
        assert [await ended(reader) for reader, _ in silent[:3]] == [b""] * 3
        async with httpx.AsyncClient() as http:
            assert (await http.get(url_of(listener))).text == "small"
        assert await ended(silent[3][0]) == b""
        assert not silent[-1][0].at_eof()
        for _, writer in silent:
            writer.close()


async def test_a_connection_that_lasts_too_long_is_closed() -> None:
    """Silent, with half a request, or with a response that nobody reads."""
    async with serving(connection_s=0.2) as listener:
        held = [
            await connect(listener, sent)
            for sent in (b"", b"GET / HT", b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        ]
        got = [await ended(reader) for reader, _ in held]
        for _, writer in held:
            writer.close()

    assert got[:2] == [b"", b""]
    assert len(got[2]) < len(LARGE)


async def test_a_request_that_is_too_large_is_not_read() -> None:
    """A header without an end would otherwise be stored."""
    async with serving() as listener:
        reader, writer = await connect(
            listener, b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_REQUEST_BYTES
        )
        assert await ended(reader) == b""
        writer.close()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:8082", 200),
        ("[::1]", 200),
        ("evil.example:8082", 421),
        ("0x7f.1", 421),
        ("", 421),
        ("localhost\r\nHost: evil.example", 421),
    ],
)
async def test_a_port_on_loopback_is_not_answered_under_the_names_of_others(
    host: str, status: int
) -> None:
    """A page of evil.example could have that name resolved to 127.0.0.1."""
    async with serving() as listener:
        reader, writer = await connect(listener, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        got = await ended(reader)
        writer.close()

    assert got.startswith(f"HTTP/1.1 {status} ".encode())
    assert (b"small" in got) == (status == 200)


async def test_responses_have_the_security_headers() -> None:
    """A browser that shows one runs and loads nothing; no cache keeps it."""
    async with serving() as listener, httpx.AsyncClient() as client:
        for path in ("/", "/nothing"):
            headers = (await client.get(f"{url_of(listener)}{path}")).headers
            assert {name.lower(): value for name, value in SECURITY_HEADERS.items()}.items() <= (
                dict(headers).items()
            )
            assert headers["cache-control"] == "no-store"
            assert "server" not in headers
