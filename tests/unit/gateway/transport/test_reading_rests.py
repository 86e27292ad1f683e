"""Reading rests: who sends again and again is read less often, and loses nothing."""

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport import connections
from gateway.transport.http_protocol import HttpProtocol
from gateway.transport.reading_rests import REST_S, RESUMED_IN_A_TURN, ReadingRests
from gateway.transport.request_stage import UNHURRIED_PARTS
from gateway.transport.sse import SseConnection
from gateway.transport.websocket import WebSocketConnection
from tests.gateway import CLOSE, TEXT, client_frame, handshake, request
from tests.unit.gateway.servers import read_to_end, read_until, serving
from tests.unit.gateway.transport.transports import MemoryTransport
from tests.waiting import until

PONG = 10
PING = client_frame(TEXT, b'{"type":"ping","sent":1}')
EMPTY_PONG = client_frame(PONG, b"")
SENT = 40
SEGMENT = 1448


class Connection:
    """A connection on a transport in memory."""

    def __init__(self) -> None:
        self.transport = MemoryTransport()

    def read_again(self) -> None:
        """Read on."""
        self.transport.resume_reading()


class Failing(Connection):
    """One that cannot be read again."""

    def read_again(self) -> None:
        """Fail."""
        raise OSError("a fault")


@given(st.lists(st.sampled_from(("rest", "rest", "leave", "end", "fail")), max_size=60))
async def test_all_are_read_again_a_few_at_a_time(what: list[str]) -> None:
    """But those that were closed or forgotten meanwhile; one that fails stops no other."""
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    rests = ReadingRests(0.001)
    resting = [Failing() if happens == "fail" else Connection() for happens in what]
    for connection, happens in zip(resting, what, strict=True):
        connection.transport.pause_reading()
        rests.begin(connection)
        if happens == "leave":
            rests.discard(connection)
        elif happens == "end":
            connection.transport.close()
    expected = {one for one, happens in zip(resting, what, strict=True) if happens == "rest"}
    reading: set[Connection] = set()
    while len(rests):
        await asyncio.sleep(0)
        before, reading = (
            reading,
            {one for one in resting if not one.transport.is_reading_paused},
        )
        assert len(reading - before) <= RESUMED_IN_A_TURN
    assert reading == expected


async def test_a_connection_that_rests_again_is_read_again_once_more() -> None:
    """Its next rest begins when it is asked for, behind those that rest already."""
    rests = ReadingRests(0.001)
    first, second = Connection(), Connection()
    for connection in (first, second, first):
        connection.transport.pause_reading()
        rests.begin(connection)
    await until(lambda: not len(rests), "all are read")
    first.transport.pause_reading()
    rests.begin(first)
    await until(lambda: not first.transport.is_reading_paused, "read again")
    assert not second.transport.is_reading_paused


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of all data that connections receive."""
    sizes: list[int] = []

    def count(kind: type[HttpProtocol | WebSocketConnection | SseConnection]) -> None:
        receive = kind.data_received

        def counting(self: HttpProtocol, data: bytes) -> None:
            sizes.append(len(data))
            receive(self, data)  # type: ignore[arg-type]

        monkeypatch.setattr(kind, "data_received", counting)

    for kind in (HttpProtocol, WebSocketConnection, SseConnection):
        count(kind)
    return sizes


@pytest.fixture
def _long_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a slow machine sees them."""
    begin = ReadingRests.__init__
    monkeypatch.setattr(ReadingRests, "__init__", lambda self: begin(self, 5.0))
    monkeypatch.setattr(connections, "LINGER_S", 30.0)


@pytest.mark.usefixtures("_long_rests")
async def test_a_request_in_many_parts_is_read_less_often_and_answered(counted: list[int]) -> None:
    """A thousand clients that send a byte twenty times a second took most of the processor."""
    sent = handshake("/ws", "X: " + "x" * SENT)
    begun = sent.index(b"X: ") + 3
    loop = asyncio.get_running_loop()
    async with serving() as served, served.dial(sent[:begun]) as client:
        await until(lambda: sum(counted) == begun, "begun")
        for at in range(begun, begun + SENT):
            was = len(counted)
            await loop.sock_sendall(client, sent[at : at + 1])
            if not served.context.requests.resting:
                await until(lambda was=was: len(counted) > was, "read")  # type: ignore[misc]
        assert len(counted) <= UNHURRIED_PARTS + 2
        await loop.sock_sendall(client, sent[begun + SENT :])
        await read_until(client, b'"snapshot"')
        assert sum(counted) == len(sent)


async def test_a_long_request_in_segments_is_answered_without_a_rest(counted: list[int]) -> None:
    """A query of a thousand names comes in fifty of them."""
    names = "&".join(f"pillow={'a' * 55}{number}" for number in range(1000))
    sent = request(f"/events?{names}")
    loop = asyncio.get_running_loop()
    async with serving(request_s=100) as served, served.dial(b"") as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(sent), SEGMENT):
            was = sum(counted)
            await loop.sock_sendall(client, sent[at : at + SEGMENT])
            await until(lambda was=was: sum(counted) > was, "read")  # type: ignore[misc]
            assert not served.context.requests.resting
        await read_until(client, b'"snapshot"')


@pytest.mark.usefixtures("_long_rests")
async def test_what_a_refused_client_sends_in_bytes_is_read_less_often(counted: list[int]) -> None:
    """It would be read for as long as it is waited for."""
    loop = asyncio.get_running_loop()
    async with serving() as served, served.dial(b"GET / HTTP/1.1\r\nA b\r\n\r\n") as client:
        await read_until(client, b" 400 ")
        del counted[:]
        for _ in range(SENT):
            await loop.sock_sendall(client, b"x")
            await until(lambda: served.context.requests.resting == 1, "it rests")
        assert len(counted) <= 2


@pytest.mark.usefixtures("_long_rests")
async def test_ends_of_lines_instead_of_a_request_are_read_less_often(counted: list[int]) -> None:
    """The parser skips them, so that no request begins."""
    loop = asyncio.get_running_loop()
    async with serving() as served, served.dial(b"\n") as client:
        for _ in range(SENT):
            was = len(counted)
            await loop.sock_sendall(client, b"\n")
            if not served.context.requests.resting:
                await until(lambda was=was: len(counted) > was, "read")  # type: ignore[misc]
        assert len(counted) <= UNHURRIED_PARTS + 3


@pytest.mark.usefixtures("_long_rests")
@pytest.mark.parametrize("reads", [True, False], ids=["reads", "does not read"])
async def test_unasked_pongs_are_read_less_often_whoever_sends_them(
    counted: list[int], *, reads: bool
) -> None:
    """A client that is paused is no exception."""
    loop = asyncio.get_running_loop()
    async with serving() as served, served.dial() as client:
        (connection,) = served.connections
        if not reads:
            for number in range(12):
                served.publish(f"cloud-{number}", pad=40_000)
                await asyncio.sleep(0.01)
            await until(lambda: connection.is_paused, "paused")
        del counted[:]
        for _ in range(SENT):
            await loop.sock_sendall(client, EMPTY_PONG)
            await until(lambda: served.context.inbound.resting == 1, "it rests")
        assert len(counted) <= 2


@pytest.mark.usefixtures("_long_rests")
@pytest.mark.parametrize(
    ("opening", "more"),
    [(handshake(), EMPTY_PONG), (request("/events"), b"x")],
    ids=["pongs that nobody asked for", "bytes behind an event stream"],
)
async def test_what_is_dropped_is_read_less_often(
    opening: bytes, more: bytes, counted: list[int]
) -> None:
    """And the client is sent what the others are."""
    loop = asyncio.get_running_loop()
    async with serving() as served, served.dial(opening) as client:
        await until(lambda: served.clients == 1, "registered")
        del counted[:]
        for _ in range(SENT):
            await loop.sock_sendall(client, more)
            await until(lambda: served.context.inbound.resting == 1, "it rests")
        assert len(counted) <= 2
        served.publish("cloud-1")
        await read_until(client, b'"update"')
        await until(lambda: sum(counted) == SENT * len(more), "all is read")


@pytest.mark.usefixtures("_long_rests")
async def test_a_message_behind_pongs_that_nobody_asked_for_is_answered() -> None:
    """After the rest."""
    loop = asyncio.get_running_loop()
    async with serving() as served, served.dial() as client:
        await loop.sock_sendall(client, EMPTY_PONG)
        await until(lambda: served.context.inbound.resting == 1, "it rests")
        (connection,) = served.connections
        assert connection.has_unprocessed_input
        await loop.sock_sendall(client, PING)
        await read_until(client, b'"pong"')


async def test_the_answer_to_a_heartbeat_is_no_reason_for_a_rest(counted: list[int]) -> None:
    """It is what every client sends."""
    loop = asyncio.get_running_loop()
    async with serving() as served, served.dial() as client:
        (connection,) = served.connections
        for _ in range(3):
            connection.is_alive = False  # as at a heartbeat
            del counted[:]
            await loop.sock_sendall(client, EMPTY_PONG)
            await until(lambda: sum(counted) == len(EMPTY_PONG), "read")
            assert connection.is_alive
            assert not served.context.inbound.resting


def test_a_refused_client_is_read_from_in_time() -> None:
    """What is unread when the connection is closed would make a reset of it."""
    assert REST_S < connections.LINGER_S


@pytest.mark.usefixtures("_long_rests")
@pytest.mark.parametrize("behind", [b"", client_frame(CLOSE, b"\x03\xe8")], ids=["", "a close"])
async def test_a_connection_that_rests_ends_as_any_other(behind: bytes) -> None:
    """When the client closes it, whatever is unread."""
    loop = asyncio.get_running_loop()
    async with serving() as served, served.dial() as client:
        await loop.sock_sendall(client, EMPTY_PONG)
        await until(lambda: served.context.inbound.resting == 1, "it rests")
        await loop.sock_sendall(client, behind)
        client.shutdown(1)
        await read_to_end(client)
        await until(lambda: len(served.registry) == 0, "unregistered")
        assert not served.context.inbound.resting
