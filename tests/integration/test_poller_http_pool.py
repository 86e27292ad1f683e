"""The poller's own HTTP connections, against servers on loopback that do all that servers do."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devstack import ports
from poller.azure import http_pool
from poller.azure.http_pool import Connections, Response, Unanswered
from tests.certificates import certificate_for_loopback
from tests.waiting import until

REQUEST = b"GET /q HTTP/1.1\r\nHost: queue\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: 1\r\n\r\nhi"

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]
"""What a server does with a connection, and which one it is, from 1."""


class Server:
    """A server on loopback that does as it is told, and counts."""

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

    async def __aexit__(self, *_error: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def request(self, reader: asyncio.StreamReader) -> None:
        """Read one request."""
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
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.transport.abort()
            self._tasks.discard(task)


@asynccontextmanager
async def asked_of(server: Server, tls: ssl.SSLContext | None = None) -> AsyncIterator[Connections]:
    """Connections to a server, closed at the end."""
    async with server:
        ours = Connections(ports.HOST, server.port, tls)
        try:
            yield ours
        finally:
            await ours.close()


def answering(*answers: bytes) -> Server:
    """A server that gives one answer after the other, on as many connections as come."""
    left = list(answers)

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _number: int
    ) -> None:
        while left:
            await server.request(reader)
            writer.write(left.pop(0))
            await writer.drain()
        await reader.read()

    server = Server(script)
    return server


async def test_a_connection_serves_one_request_after_another() -> None:
    """It is kept open between them."""
    server = answering(OK, OK, OK)
    async with asked_of(server) as ours:
        answers = [await ours.ask(REQUEST) for _ in range(3)]

    assert answers[0] == Response(200, {b"content-length": b"2", b"x-one": b"1"}, b"hi")
    assert answers[0] == answers[2]
    assert (server.accepted, server.requests) == (1, 3)


async def test_requests_at_once_have_a_connection_each() -> None:
    """As many as are under way, and no more later."""
    free = asyncio.Event()

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _number: int
    ) -> None:
        while True:
            await server.request(reader)
            await free.wait()
            writer.write(OK)

    server = Server(script)
    async with asked_of(server) as ours:
        several = [asyncio.ensure_future(ours.ask(REQUEST)) for _ in range(10)]
        await until(lambda: server.requests == 10, "all under way")
        free.set()
        await asyncio.gather(*several)
        await asyncio.gather(*(ours.ask(REQUEST) for _ in range(10)))

    assert (server.accepted, server.requests) == (10, 20)


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n", b""),
        (CHUNKED + b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", b"abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"hi"),
        (b"HTTP/1.1 200 OK\r\ncontent-LENGTH:2\r\n\r\nhi", b"hi"),
    ],
)  # fmt: skip
async def test_an_answer_is_read_however_it_is_framed(answer: bytes, body: bytes) -> None:
    """And cut into single bytes, which is how networks like it."""

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        while True:
            await server.request(reader)
            if number == 1:
                writer.write(answer)
                continue
            for at in range(len(answer)):
                writer.write(answer[at : at + 1])
                await writer.drain()
                await asyncio.sleep(0)

    server = Server(script)
    async with asked_of(server) as ours:
        assert (await ours.ask(REQUEST)).body == body
        both = await asyncio.gather(ours.ask(REQUEST), ours.ask(REQUEST))

    assert [one.body for one in both] == [body, body]


async def test_a_kept_connection_that_was_closed_costs_a_new_one() -> None:
    """Azurite closes one after five seconds, and a request may be on its way then."""

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        await server.request(reader)
        writer.write(OK)
        await writer.drain()
        if number == 1:
            # Closed on the second request, without a byte of an answer to it.
            await server.request(reader)

    server = Server(script)
    async with asked_of(server) as ours:
        await ours.ask(REQUEST)
        assert (await ours.ask(REQUEST)).status == 200

    assert (server.accepted, server.requests) == (2, 3)


async def test_a_connection_is_not_used_again_when_it_is_said_to_be_closed() -> None:
    """`Connection: close`, as a proxy may say."""
    server = answering(OK.replace(b"\r\nX", b"\r\nConnection: close\r\nX"), OK)
    async with asked_of(server) as ours:
        await ours.ask(REQUEST)
        await ours.ask(REQUEST)

    assert server.accepted == 2


async def test_a_connection_is_given_up_when_it_was_idle() -> None:
    """Before the server does it; looked at once a second."""
    server = answering(OK)
    async with asked_of(server) as ours:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(http_pool, "IDLE_S", 0.1)
            await ours.ask(REQUEST)
            await until(lambda: server.open == 0, "an idle connection closed")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"", "hung up"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal", "middle of its answer"),
        (b"\x00\x15\x03\x01garbage\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\n" + b"".join(b"A%d: b\r\n" % n for n in range(200)), "100 headers"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "not HTTP"),
    ],
)  # fmt: skip
async def test_what_is_no_whole_answer_says_what_is_wrong(answer: bytes, says: str) -> None:
    """It is not taken for one, and the connection is not used again."""

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        await server.request(reader)
        writer.write(answer if number == 1 else OK)
        await writer.drain()

    server = Server(script)
    async with asked_of(server) as ours:
        with pytest.raises(Unanswered, match=says):
            await ours.ask(REQUEST)
        assert (await ours.ask(REQUEST)).body == b"hi"

    assert server.accepted == 2


@pytest.mark.parametrize("more", [OK, b"HTTP/1.1 2", b"garbage"])
async def test_what_comes_after_an_answer_is_nobody_s(more: bytes) -> None:
    """It must never be taken for the answer to the next request."""
    server = answering(OK + more, OK.replace(b"hi", b"ho"))
    async with asked_of(server) as ours:
        assert (await ours.ask(REQUEST)).body == b"hi"
        assert (await ours.ask(REQUEST)).body == b"ho"

    assert server.accepted == 2


async def test_bytes_that_nobody_asked_for_end_a_kept_connection() -> None:
    """They come while it is idle."""
    late = asyncio.Event()

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        await server.request(reader)
        writer.write(OK)
        if number == 1:
            await late.wait()
            writer.write(OK)
        await reader.read()

    server = Server(script)
    async with asked_of(server) as ours:
        await ours.ask(REQUEST)
        late.set()
        await until(lambda: server.open == 0, "ended")
        assert (await ours.ask(REQUEST)).status == 200


async def test_a_server_that_says_nothing_is_given_up() -> None:
    """Within the deadline, looked at once a second."""
    server = answering()
    async with asked_of(server) as ours:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(http_pool, "ANSWER_S", 0.1)
            with pytest.raises(Unanswered, match=r"no answer within 0\.1 s"):
                async with asyncio.timeout(10):
                    await ours.ask(REQUEST)


async def test_a_body_that_never_ends_is_given_up() -> None:
    """A server must not fill our memory."""
    server = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"x" * 5000)
    async with asked_of(server) as ours:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(http_pool, "MOST_BODY", 1000)
            with pytest.raises(Unanswered, match="more than 1000 bytes"):
                await ours.ask(REQUEST)


async def test_a_request_that_is_given_up_takes_its_connection_with_it() -> None:
    """Its answer would come to the next one."""

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        await server.request(reader)
        if number > 1:
            writer.write(OK)
        await reader.read()

    server = Server(script)
    async with asked_of(server) as ours:
        asking = asyncio.ensure_future(ours.ask(REQUEST))
        await until(lambda: server.requests == 1, "asked")
        asking.cancel()
        await until(lambda: server.open == 0, "ended")
        assert (await ours.ask(REQUEST)).status == 200
        assert asking.cancelled()


async def test_a_request_under_way_ends_when_all_is_closed() -> None:
    """Nobody waits for ever."""
    server = answering()
    async with asked_of(server) as ours:
        asking = asyncio.ensure_future(ours.ask(REQUEST))
        await until(lambda: server.open == 1, "connected")
        await ours.close()
        with pytest.raises(Unanswered, match="closed"):
            await asking


async def test_nobody_there_is_said() -> None:
    """Refused, and a name that there is not."""
    for host in (ports.HOST, "queue.invalid"):
        with pytest.raises(Unanswered, match="no connection"):
            await Connections(host, ports.free(), None).ask(REQUEST)


async def test_tls_is_spoken_and_the_certificate_checked(tmp_path: Path) -> None:
    """One that nobody vouches for is no connection; with its authority known, all is well."""
    certificate, key = certificate_for_loopback(tmp_path)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate, key)
    knowing = ssl.create_default_context(cafile=certificate)

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _number: int
    ) -> None:
        while True:
            await server.request(reader)
            writer.write(OK)

    server = Server(script, serving)
    async with asked_of(server, knowing) as ours:
        assert [(await ours.ask(REQUEST)).body for _ in range(2)] == [b"hi", b"hi"]
        stranger = Connections(ports.HOST, server.port, ssl.create_default_context())
        with pytest.raises(Unanswered, match="certificate"):
            await stranger.ask(REQUEST)
