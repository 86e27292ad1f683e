"""The proxies of the fire tests: without faults they change nothing, and each fault is real."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from devstack import ports
from tests.fire import mqtt_proxy, queue_proxy
from tests.fire.faults import Fault, Listener
from tests.fire.mqtt_proxy import MqttProxy
from tests.fire.queue_proxy import QueueProxy
from tests.waiting import until

GET = b"GET /queue/messages HTTP/1.1\r\nHost: here\r\n\r\n"
POST = b"POST /queue/messages HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nhello"
DELETE = b"DELETE /queue/messages/1 HTTP/1.1\r\nHost: here\r\n\r\n"
ANSWERS = {
    b"GET": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"POST": b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\ndone",
    b"DELETE": b"HTTP/1.1 204 No Content\r\nServer: here\r\n\r\n",
}
MISMATCH = (
    b"HTTP/1.1 400 mismatch\r\nx-ms-error-code: PopReceiptMismatch\r\nContent-Length: 0\r\n\r\n"
)

FORWARDED = {
    Fault.RESET: False,
    Fault.LOST_ANSWER: True,
    Fault.MUTE: True,
    Fault.DEAF: False,
    Fault.STALL: True,
    Fault.SLOW: True,
    Fault.GARBAGE: True,
    Fault.BUSY: False,
}
"""Whether a request takes effect; for the other faults it is random."""


class Upstream(Listener):
    """Responds to each request by its method, or echoes; records what it received."""

    def __init__(self, answers: dict[bytes, bytes] | None = None) -> None:
        super().__init__(self._answer)
        self.answers = answers
        self.received = b""

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            self.received += data
            writer.write(self.answers[data.partition(b" ")[0]] if self.answers else data)
            await writer.drain()


@asynccontextmanager
async def connected(
    listener: Listener,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Yield a connection to a proxy."""
    reader, writer = await asyncio.open_connection(ports.HOST, listener.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def everything(reader: asyncio.StreamReader) -> bytes:
    """Return the bytes until the end of the connection, which may be a reset."""
    found = b""
    try:
        async with asyncio.timeout(20):
            while data := await reader.read(65_536):
                found += data
    except ConnectionError:
        pass
    return found


async def test_a_queue_proxy_without_faults_changes_nothing() -> None:
    """Requests and responses are equal byte for byte, on one connection."""
    async with Upstream(ANSWERS) as upstream, QueueProxy(upstream.port, random.Random(1)) as proxy:
        async with connected(proxy) as (reader, writer):
            for request in (GET, POST, DELETE, GET):
                writer.write(request)
                answer = ANSWERS[request.partition(b" ")[0]]
                assert await reader.readexactly(len(answer)) == answer

        assert upstream.received == GET + POST + DELETE + GET
        assert proxy.faults.counts.total() == 0
        assert proxy.errors == []


@pytest.mark.parametrize("fault", queue_proxy.WEIGHTS)
async def test_each_fault_of_the_queue_proxy(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """It decides whether the request takes effect, and how much of the response arrives."""
    monkeypatch.setattr(queue_proxy, "PUT_RATE", 1.0)
    monkeypatch.setattr(queue_proxy, "WEIGHTS", {fault: 1})
    monkeypatch.setattr(queue_proxy, "MAX_STALL_S", 0.2)
    answer = ANSWERS[b"POST"]
    async with Upstream(ANSWERS) as upstream, QueueProxy(upstream.port, random.Random(1)) as proxy:
        proxy.faults.paused = False
        async with connected(proxy) as (reader, writer):
            writer.write(POST)
            writer.write_eof()
            found = await everything(reader)

        assert proxy.faults.counts == {fault: 1}
        assert proxy.errors == []
        if fault in FORWARDED:
            assert (upstream.received == POST) == FORWARDED[fault]
        match fault:
            case Fault.STALL | Fault.SLOW:
                assert found == answer
            case Fault.BUSY:
                assert found.startswith(b"HTTP/1.1 503 ServerBusy\r\n")
                assert b"\r\nRetry-After: 1\r\n" in found
            case Fault.TIMED_OUT:
                assert found.startswith(b"HTTP/1.1 500 OperationTimedOut\r\n")
            case Fault.GARBAGE:
                assert found
                assert not found.startswith(b"HTTP")
            case _:
                assert len(found) < len(answer)
                assert answer.startswith(found)


async def test_a_stale_receipt_is_answered_with_400_or_404() -> None:
    """Azurite responds 400; Azure has responded with either."""
    answers = {b"DELETE": MISMATCH}
    async with Upstream(answers) as upstream, QueueProxy(upstream.port, random.Random(1)) as proxy:
        statuses = set()
        async with connected(proxy) as (reader, writer):
            for _ in range(30):
                writer.write(DELETE)
                head = await reader.readuntil(b"\r\n\r\n")
                statuses.add(head.split(b" ")[1])
                if b"MessageNotFound" in head:
                    await reader.readuntil(b"</Error>")

        assert statuses == {b"400", b"404"}
        assert 0 < proxy.faults.counts[Fault.STALE] < 30


async def test_an_mqtt_proxy_forwards_bytes_only_while_it_is_open() -> None:
    """In both directions, unchanged; a closed one accepts no connection."""
    async with Upstream() as upstream, MqttProxy(upstream.port, random.Random(1)) as proxy:
        async with connected(proxy) as (reader, writer):
            writer.write(b"hello")
            assert await everything(reader) == b""
        assert upstream.received == b""

        proxy.opened = True
        async with connected(proxy) as (reader, writer):
            for _ in range(100):
                writer.write(bytes(1000))
                await reader.readexactly(1000)
        assert proxy.faults.counts == {Fault.SHUT: 1}
        assert proxy.errors == []


@pytest.mark.parametrize("fault", mqtt_proxy.WEIGHTS)
async def test_each_fault_of_the_mqtt_proxy(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins after 700 bytes; the bytes before it have arrived, except at a reset."""
    monkeypatch.setattr(mqtt_proxy, "WEIGHTS", {fault: 1})
    monkeypatch.setattr(mqtt_proxy, "EARLY_RATE", 0)
    monkeypatch.setattr(mqtt_proxy, "MIN_BYTES", 700)
    monkeypatch.setattr(mqtt_proxy, "MAX_BYTES", 700)
    monkeypatch.setattr(mqtt_proxy, "MAX_STALL_S", 0.2)
    async with Upstream() as upstream, MqttProxy(upstream.port, random.Random(1)) as proxy:
        proxy.faults.paused = False
        proxy.opened = True
        async with connected(proxy) as (reader, writer):
            writer.write(bytes(600))
            await reader.readexactly(600)
            assert proxy.faults.counts.total() == 0
            writer.write(bytes(140))
            goes_on = fault in (Fault.STALL, Fault.SLOW)
            found = await (reader.readexactly(140) if goes_on else everything(reader))

        assert proxy.errors == []
        assert proxy.faults.counts[fault] == 1
        await until(lambda: not proxy.active_faults, "the end of the fault")
        match fault:
            case Fault.RESET:
                assert upstream.received == bytes(600)
            case Fault.CUT | Fault.DEAF | Fault.GARBAGE:
                assert upstream.received == bytes(700)
                assert found.strip(b"\0").isascii() == (fault is not Fault.GARBAGE)
            case Fault.MUTE:
                assert upstream.received == bytes(740)
                assert len(found) < 140
            case _:
                assert found == bytes(140)
