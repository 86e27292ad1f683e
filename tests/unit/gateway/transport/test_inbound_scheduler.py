"""InboundScheduler: who says much is heard in turns, and nobody else waits for it."""

import asyncio
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.cpu_budget import BURST_S
from gateway.transport.inbound_scheduler import QUANTUM_BYTES, InboundScheduler
from gateway.transport.message_reader import MessageReader
from gateway.transport.websocket import WebSocketConnection
from tests.gateway import client_frame
from tests.unit.gateway.servers import serving
from tests.waiting import until

TEXT, PING, PONG = 1, 9, 10


class Transport(asyncio.Transport):
    """Says whether it is read from."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = True

    def pause_reading(self) -> None:
        """Read no more."""
        self.reads = False

    def resume_reading(self) -> None:
        """Read again."""
        self.reads = True


class Speaker:
    """Remembers what it has taken in, and is told no more than a piece at once."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport = Transport()
        self.taken = b""

    def process(self, data: bytes) -> None:
        """Take in a piece."""
        assert len(data) <= QUANTUM_BYTES
        self.taken += data


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3 * QUANTUM_BYTES)), max_size=12))
def test_everything_is_heard_in_its_order(said: list[tuple[int, int]]) -> None:
    """Whoever else speaks, and who waits is not read from meanwhile."""

    async def speak() -> None:
        scheduler = InboundScheduler()
        speakers = [Speaker() for _ in range(3)]
        expected = [b"", b"", b""]
        for number, (who, size) in enumerate(said):
            data = bytes([number]) * size
            expected[who] += data
            scheduler.schedule(speakers[who], data)
            for speaker in speakers:
                assert speaker.transport.reads != (speaker in scheduler)  # type: ignore[attr-defined]
        while any(speaker in scheduler for speaker in speakers):  # noqa: ASYNC110 - next turn
            await asyncio.sleep(0)
        assert [speaker.taken for speaker in speakers] == expected
        assert all(speaker.transport.reads for speaker in speakers)  # type: ignore[attr-defined]

    asyncio.run(speak())


async def test_a_speaker_that_fails_or_goes_holds_up_nobody() -> None:
    """The one after it is heard all the same."""

    class Failing(Speaker):
        def process(self, data: bytes) -> None:
            raise ValueError("a bug")

    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    scheduler, failing, gone, last = InboundScheduler(), Failing(), Speaker(), Speaker()
    for speaker in (failing, gone, last):
        scheduler.schedule(speaker, bytes(QUANTUM_BYTES + 1))
    scheduler.discard(gone)

    await until(lambda: len(last.taken) == QUANTUM_BYTES + 1, "heard")

    assert gone.taken == b""


async def test_a_flood_of_pings_is_answered_and_holds_up_nobody() -> None:
    """Thousands at once: what happens meanwhile is told before the last of them is answered."""
    flood = b"".join(client_frame(PING, b"%05d" % number) for number in range(2000))
    loop = asyncio.get_running_loop()
    async with serving() as served, served.dial() as good:
        (told,) = served.connections
        async with served.dial(receive_buffer=1 << 18) as rude:
            await until(lambda: served.clients == 2, "both in")
            (flooding,) = served.connections - {told}
            served.context.inbound._budget.charge(BURST_S + 0.08)  # as others had said much already
            await loop.sock_sendall(rude, flood)
            await until(lambda: flooding.has_unprocessed_input, "waiting")
            served.publish("cloud-1")
            got = b""
            async with asyncio.timeout(10):
                while b'"update"' not in got:
                    got += await loop.sock_recv(good, 1 << 16)
            assert flooding.has_unprocessed_input

            answered = b""
            async with asyncio.timeout(10):
                while b"01999" not in answered:
                    answered += await loop.sock_recv(rude, 1 << 16)
    assert answered.count(b"\x8a\x05") == 2000


async def test_who_waits_to_be_heard_is_not_taken_for_dead() -> None:
    """Its answer to the last ping may be among what waits."""
    async with serving(heartbeat_s=0.2) as served, served.dial() as client:
        (browser,) = served.connections
        assert isinstance(browser, WebSocketConnection)
        served.context.inbound._budget.charge(
            BURST_S + 0.2
        )  # so much was said that nobody is heard for a second
        await asyncio.get_running_loop().sock_sendall(
            client, client_frame(PING, b"here") + client_frame(PONG, b"")
        )
        await until(lambda: browser.has_unprocessed_input, "waiting")
        await until(lambda: not browser.has_unprocessed_input, "heard")
        assert served.clients == 1


def test_fragments_without_an_end_and_without_a_byte_fill_no_memory() -> None:
    """There is no limit to how many there may be of them."""
    inbound = MessageReader(deflate=False)
    list(inbound.feed(client_frame(TEXT, b"a", fin=False)))
    empty = client_frame(0, b"", fin=False) * 1000
    list(inbound.feed(empty))
    tracemalloc.start()
    try:
        for _ in range(20):
            list(inbound.feed(empty))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 30_000
    (said,) = inbound.feed(client_frame(0, b"b"))
    assert said == ("ab",)


@pytest.mark.parametrize("size", [QUANTUM_BYTES, QUANTUM_BYTES + 1])
async def test_pings_and_messages_are_answered_in_order(size: int) -> None:
    """However many come together."""
    one = client_frame(PING, b"p") + client_frame(TEXT, b'{"type":"ping","sent":1}')
    async with serving() as served, served.dial() as client:
        loop = asyncio.get_running_loop()
        await until(lambda: served.count("snapshots_total", recovered="false") == 1, "in")
        await loop.sock_sendall(client, one * (size // len(one) + 1))
        got = b""
        async with asyncio.timeout(10):
            while got.count(b'"pong"') < size // len(one) + 1:
                got += await loop.sock_recv(client, 1 << 16)
    answers = got[got.index(b"\x8a\x01p") :]
    assert answers.count(b"\x8a\x01p\x81") == size // len(one) + 1
