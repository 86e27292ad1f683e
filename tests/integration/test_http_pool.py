"""The pool of HTTP connections, on loopback servers that misbehave as real ones do."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from azure_queue.http_pool import HttpPool, NoResponse, PoolLimits, Response
from devstack import ports
from devstack.certificates import certificate_for_loopback
from tests.waiting import until

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: 1\r\n\r\nhi"

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]
"""What a server does with a connection, whose number from 1 is the last argument."""


class Server:
    """A loopback server that runs a script for each connection, and counts."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.accepted = 0
        self.requests = 0
        self.open = 0
        self._script = script
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Server":
        self._server = await asyncio.start_server(self._accept, ports.HOST, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def read_request(self, reader: asyncio.StreamReader) -> None:
        """Read one request without a body."""
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        self.open += 1
        try:
            await self._script(reader, writer, self.accepted)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client or the test has ended the connection
        finally:
            self.open -= 1
            writer.transport.abort()
            self._tasks.discard(task)


@asynccontextmanager
async def pool_of(
    server: Server, tls: ssl.SSLContext | None = None, limits: PoolLimits | None = None
) -> AsyncIterator[HttpPool]:
    """A pool of connections to a server, closed at the end."""
    async with server:
        pool = HttpPool(ports.HOST, server.port, tls, limits)
        try:
            yield pool
        finally:
            await pool.close()


async def get(pool: HttpPool) -> Response:
    """Send a request."""
    return await pool.request("GET", "/q", (("Host", "queue"),))


def responding(*responses: bytes) -> Server:
    """A server that sends one response after the other, over however many connections."""
    left = list(responses)

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _number: int
    ) -> None:
        while left:
            await server.read_request(reader)
            writer.write(left.pop(0))
            await writer.drain()
        await reader.read()

    server = Server(script)
    return server


# Connections


async def test_a_request_is_sent_as_rfc_9112_writes_it() -> None:
    """With its headers in their order, and its body."""
    received: list[bytes] = []

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _number: int
    ) -> None:
        received.append(await reader.readexactly(len(expected)))
        writer.write(OK)
        await reader.read()

    expected = b"POST /q?a=b HTTP/1.1\r\nHost: queue\r\nContent-Length: 2\r\n\r\nho"
    async with pool_of(Server(script)) as pool:
        headers = (("Host", "queue"), ("Content-Length", "2"))
        await pool.request("POST", "/q?a=b", headers, b"ho")

    assert received == [expected]


async def test_sequential_requests_share_one_connection() -> None:
    """It is kept open between them."""
    server = responding(OK, OK, OK)
    async with pool_of(server) as pool:
        responses = [await get(pool) for _ in range(3)]

    assert responses[0] == Response(200, {b"content-length": b"2", b"x-one": b"1"}, b"hi")
    assert responses[0] == responses[2]
    assert (server.accepted, server.requests) == (1, 3)


async def test_concurrent_requests_have_a_connection_each() -> None:
    """Later requests use the same connections."""
    free = asyncio.Event()

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _number: int
    ) -> None:
        while True:
            await server.read_request(reader)
            await free.wait()
            writer.write(OK)

    server = Server(script)
    async with pool_of(server) as pool:
        several = [asyncio.ensure_future(get(pool)) for _ in range(10)]
        await until(lambda: server.requests == 10, "all requests have arrived")
        free.set()
        await asyncio.gather(*several)
        await asyncio.gather(*(get(pool) for _ in range(10)))

    assert (server.accepted, server.requests) == (10, 20)


async def test_a_request_on_a_kept_connection_that_was_closed_is_sent_again() -> None:
    """Azurite closes an idle connection after 5 s, and a request may be on its way then."""

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        await server.read_request(reader)
        writer.write(OK)
        await writer.drain()
        if number == 1:
            # Closed at the second request, without a byte of a response.
            await server.read_request(reader)

    server = Server(script)
    async with pool_of(server) as pool:
        await get(pool)
        assert (await get(pool)).status == 200

    assert (server.accepted, server.requests) == (2, 3)


async def test_a_connection_is_not_used_after_connection_close() -> None:
    """A proxy may send that header."""
    server = responding(OK.replace(b"\r\nX", b"\r\nConnection: close\r\nX"), OK)
    async with pool_of(server) as pool:
        await get(pool)
        await get(pool)

    assert server.accepted == 2


async def test_an_idle_connection_is_closed_after_its_timeout() -> None:
    """Before the server closes it."""
    server = responding(OK)
    async with pool_of(server, limits=PoolLimits(idle_s=0.05, sweep_s=0.02)) as pool:
        await get(pool)
        await until(lambda: server.open == 0, "the idle connection is closed")


# Responses


@dataclass(frozen=True)
class Answer:
    """What a server sends, and whether it then closes the connection."""

    data: bytes
    closes: bool = False


ANSWERS = {
    "204 without a length": Answer(b"HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n"),
    "304 with a length and no body": Answer(
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"
    ),
    "chunked": Answer(CHUNKED + b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"),
    "chunked with an extension": Answer(CHUNKED + b"3;name=value\r\nabc\r\n0\r\n\r\n"),
    "chunked and empty": Answer(CHUNKED + b"0\r\n\r\n"),
    "100 Continue before": Answer(b"HTTP/1.1 100 Continue\r\n\r\n" + OK),
    "102 and 103 before": Answer(
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK
    ),
    "header names in odd case": Answer(b"HTTP/1.1 200 OK\r\ncontent-LENGTH:2\r\n\r\nhi"),
    "an empty header value": Answer(b"HTTP/1.1 200 OK\r\nX-One:\r\nContent-Length: 2\r\n\r\nhi"),
    "an empty reason": Answer(b"HTTP/1.1 503 \r\nContent-Length: 2\r\n\r\nhi"),
    "no length, ended by the connection": Answer(
        b"HTTP/1.1 502 Bad Gateway\r\nServer: proxy\r\n\r\n<html>", closes=True
    ),
    "no length and no body": Answer(b"HTTP/1.1 502 Bad Gateway\r\n\r\n", closes=True),
    "HTTP/1.0": Answer(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
    "Connection: close": Answer(OK.replace(b"\r\nX", b"\r\nConnection: close\r\nX"), closes=True),
    "closed without a response": Answer(b"", closes=True),
    "closed in the head": Answer(b"HTTP/1.1 200 OK\r\nContent-Le", closes=True),
    "closed in the body": Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal", closes=True),
    "closed in a chunk": Answer(CHUNKED + b"5\r\nab", closes=True),
    "closed before the last chunk": Answer(CHUNKED + b"2\r\nab\r\n", closes=True),
    "not HTTP": Answer(b"\x00\x15\x03\x01garbage\r\n\r\n"),
    "a negative length": Answer(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
    "a length in hexadecimal": Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nhi"),
    "two lengths": Answer(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", closes=True
    ),
    "a header name with a space": Answer(
        b"HTTP/1.1 200 OK\r\nX One: 1\r\nContent-Length: 2\r\n\r\nhi"
    ),
}


def answering(answer: Answer, cuts: list[int]) -> Server:
    """A server that gives this answer to each request, cut into pieces at these places."""

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _number: int
    ) -> None:
        while True:
            await server.read_request(reader)
            places = sorted({0, *(cut % (len(answer.data) + 1) for cut in cuts), len(answer.data)})
            for start, end in pairwise(places):
                writer.write(answer.data[start:end])
                await writer.drain()
                await asyncio.sleep(0)
            if answer.closes:
                return

    server = Server(script)
    return server


async def by_pool(port: int) -> Response | None:
    """The response that the pool returns; None for an error."""
    pool = HttpPool(ports.HOST, port, None)
    try:
        return await get(pool)
    except NoResponse:
        return None
    finally:
        await pool.close()


async def by_aiohttp(port: int) -> Response | None:
    """The response that aiohttp returns; None for an error."""
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(auto_decompress=False, timeout=timeout) as session:
        try:
            async with session.get(f"http://{ports.HOST}:{port}/q", allow_redirects=False) as got:
                body = await got.read()
        except aiohttp.ClientError:
            return None
        headers = {name.lower().encode(): value.encode() for name, value in got.headers.items()}
        return Response(got.status, headers, body)


@given(name=st.sampled_from(sorted(ANSWERS)), cuts=st.lists(st.integers(0, 400), max_size=8))
async def test_a_response_is_read_as_aiohttp_reads_it(name: str, cuts: list[int]) -> None:
    """However it is framed, wherever the network cuts it; what aiohttp refuses is refused."""
    async with answering(ANSWERS[name], cuts) as server:
        ours = await by_pool(server.port)
        theirs = await by_aiohttp(server.port)

    assert ours == theirs


async def test_whitespace_around_a_header_value_is_not_part_of_it() -> None:
    """RFC 9110 §5.5; aiohttp before 3.14 keeps it after the value."""
    server = responding(b"HTTP/1.1 200 OK\r\nX-One: \t 1 \t\r\nContent-Length:  2 \r\n\r\nhi")
    async with pool_of(server) as pool:
        assert (await get(pool)).headers == {b"x-one": b"1", b"content-length": b"2"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "closed the connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal", "middle of its response"),
        (b"\x00\x15\x03\x01garbage\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\n" + b"".join(b"A%d: b\r\n" % n for n in range(200)), "100 headers"),
        # aiohttp waits for its timeout here where the chunk arrives apart from the head.
        (CHUNKED + b"xyz\r\nabc\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "not HTTP"),
    ],
)  # fmt: skip
async def test_an_invalid_response_ends_its_connection_with_a_reason(
    data: bytes, message: str
) -> None:
    """The next request has a new connection."""

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        await server.read_request(reader)
        writer.write(data if number == 1 else OK)
        await writer.drain()

    server = Server(script)
    async with pool_of(server) as pool:
        with pytest.raises(NoResponse, match=message):
            await get(pool)
        assert (await get(pool)).body == b"hi"

    assert server.accepted == 2


@pytest.mark.parametrize("more", [OK, b"HTTP/1.1 2", b"garbage"])
async def test_bytes_after_a_response_are_not_the_next_response(more: bytes) -> None:
    """They end the connection."""
    server = responding(OK + more, OK.replace(b"hi", b"ho"))
    async with pool_of(server) as pool:
        assert (await get(pool)).body == b"hi"
        assert (await get(pool)).body == b"ho"

    assert server.accepted == 2


async def test_bytes_on_an_idle_connection_end_it() -> None:
    """No request belongs to them."""
    late = asyncio.Event()

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        await server.read_request(reader)
        writer.write(OK)
        if number == 1:
            await late.wait()
            writer.write(OK)
        await reader.read()

    server = Server(script)
    async with pool_of(server) as pool:
        await get(pool)
        late.set()
        await until(lambda: server.open == 0, "the connection has ended")
        assert (await get(pool)).status == 200


# Limits


async def test_a_request_without_a_response_ends_after_its_timeout() -> None:
    """The message gives the timeout."""
    limits = PoolLimits(response_s=0.05, sweep_s=0.02)
    async with pool_of(responding(), limits=limits) as pool:
        with pytest.raises(NoResponse, match=r"no response within 0\.05 s"):
            async with asyncio.timeout(10):
                await get(pool)


async def test_a_response_that_makes_progress_may_take_longer_than_the_timeout() -> None:
    """A large page on a slow link."""
    limits = PoolLimits(response_s=0.3, sweep_s=0.02)

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        await server.read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        for _ in range(10):
            await asyncio.sleep(0.06)
            writer.write(b"x")
            await writer.drain()

    server = Server(script)
    async with pool_of(server, limits=limits) as pool:
        assert (await get(pool)).body == b"x" * 10


def test_a_response_that_arrives_in_a_pause_of_the_process_is_read() -> None:
    """uvloop, on which the services run, runs timers before it reads what arrived."""

    def serve(listener: socket.socket, begin_pause: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            begin_pause.send(b"!")
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            begin_pause.send(b"!")
            connection.recv(1)

    async def request(port: int, begin_pause: socket.socket) -> Response:
        def pause() -> None:
            begin_pause.recv(1)
            begin_pause.recv(1)  # the response is sent
            asyncio.get_running_loop().remove_reader(begin_pause)
            time.sleep(1.6)

        asyncio.get_running_loop().add_reader(begin_pause, pause)
        # Long enough that a busy machine does not exceed it before the pause begins.
        pool = HttpPool(ports.HOST, port, None, PoolLimits(response_s=1, sweep_s=0.5))
        try:
            return await pool.request("GET", "/q", ())
        finally:
            asyncio.get_running_loop().remove_reader(begin_pause)
            await pool.close()

    theirs, ours = socket.socketpair()
    with socket.create_server((ports.HOST, 0)) as listener, theirs, ours:
        server = threading.Thread(target=serve, args=(listener, theirs))
        server.start()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            response = runner.run(request(listener.getsockname()[1], ours))
        server.join()
    assert response.body == b"ok"


async def test_a_handshake_that_does_not_end_is_no_connection() -> None:
    """The server accepts and stays silent; the message gives the timeout."""
    limits, tls = PoolLimits(connect_s=0.05), ssl.create_default_context()
    async with pool_of(responding(), tls, limits) as pool:
        with pytest.raises(NoResponse, match=r"no connection within 0\.05 s"):
            await get(pool)


async def test_a_body_above_the_limit_is_refused() -> None:
    """So that a server cannot fill the memory."""
    server = responding(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"x" * 5000)
    async with pool_of(server, limits=PoolLimits(max_body_bytes=1000)) as pool:
        with pytest.raises(NoResponse, match="more than 1000 bytes"):
            await get(pool)


async def test_a_cancelled_request_ends_its_connection() -> None:
    """Its response would be returned for the next request."""

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        await server.read_request(reader)
        if number > 1:
            writer.write(OK)
        await reader.read()

    server = Server(script)
    async with pool_of(server) as pool:
        cancelled = asyncio.ensure_future(get(pool))
        await until(lambda: server.requests == 1, "the request has arrived")
        cancelled.cancel()
        await until(lambda: server.open == 0, "the connection has ended")
        assert (await get(pool)).status == 200
        assert cancelled.cancelled()


async def test_a_request_cancelled_after_its_response_does_not_end_the_next_one() -> None:
    """Its connection may carry the next request before the cancellation is noticed."""
    async with pool_of(responding(OK, OK)) as pool:
        first = asyncio.ensure_future(get(pool))
        for _ in iter(lambda: bool(pool._idle), True):
            await asyncio.sleep(0)  # until the turn after the response, before `first` continues
        first.cancel()

        assert (await get(pool)).status == 200
        assert first.cancelled()


async def test_a_request_under_way_ends_when_the_pool_is_closed() -> None:
    """It does not wait for its timeout."""

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _number: int
    ) -> None:
        await server.read_request(reader)
        await reader.read()

    server = Server(script)
    async with pool_of(server) as pool:
        waiting = asyncio.ensure_future(get(pool))
        await until(lambda: server.requests == 1, "the request has arrived")
        await pool.close()
        with pytest.raises(NoResponse, match="closed"):
            await waiting


@pytest.mark.parametrize("host", [ports.HOST, "queue.invalid"])
async def test_a_connection_that_is_refused_or_has_no_address_is_no_response(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has the system's reason."""

    def has_no_address(*_given: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    # A real resolver may ask far servers, for longer than a connection may take.
    monkeypatch.setattr(socket, "getaddrinfo", has_no_address)
    with pytest.raises(NoResponse, match="no connection: "):
        await get(HttpPool(host, ports.free(), None))


async def test_a_server_s_certificate_is_verified(tmp_path: Path) -> None:
    """A certificate of an unknown authority is refused."""
    certificate, key = certificate_for_loopback(tmp_path)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=certificate)

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _number: int
    ) -> None:
        while True:
            await server.read_request(reader)
            writer.write(OK)

    server = Server(script, serving)
    async with pool_of(server, trusting) as pool:
        assert [(await get(pool)).body for _ in range(2)] == [b"hi", b"hi"]
        with pytest.raises(NoResponse, match="certificate"):
            await get(HttpPool(ports.HOST, server.port, ssl.create_default_context()))
