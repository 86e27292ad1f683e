"""The inbound scheduler: one connection's data does not delay the others."""

import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.cpu_budget import BURST_S, CPU_SHARE, SLICE_S
from gateway.transport.inbound_scheduler import InboundScheduler
from gateway.transport.loop_budget import LoopBudget
from tests.gateway import PING, TEXT, client_frame
from tests.unit.gateway.servers import read_until, serving
from tests.unit.gateway.transport.transports import MemoryTransport
from tests.waiting import until

PONG = 10
PIECE_BYTES = 100


class Receiver:
    """Keeps what it processes, which is never more than a piece at once."""

    def __init__(self) -> None:
        self.memory = MemoryTransport()
        self.transport: asyncio.Transport = self.memory
        self.processed = b""

    def read_again(self) -> None:
        """Read on."""
        self.transport.resume_reading()

    def piece_bytes(self, data: bytes | bytearray) -> int:
        """Return the size of a piece."""
        return min(len(data), PIECE_BYTES)

    def process(self, data: bytes) -> None:
        """Keep a piece."""
        assert len(data) <= PIECE_BYTES
        self.processed += data


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3 * PIECE_BYTES)), max_size=12))
async def test_the_data_of_each_connection_is_processed_in_order(
    arrivals: list[tuple[int, int]],
) -> None:
    """A connection with unprocessed data is not read from."""
    scheduler = InboundScheduler(LoopBudget(CPU_SHARE, BURST_S, SLICE_S))
    receivers = [Receiver() for _ in range(3)]
    expected = [b"", b"", b""]
    for number, (index, size) in enumerate(arrivals):
        data = bytes([number]) * size
        expected[index] += data
        scheduler.schedule(receivers[index], data)
        for receiver in receivers:
            assert receiver.memory.is_reading_paused == (receiver in scheduler)
    while any(receiver in scheduler for receiver in receivers):  # noqa: ASYNC110 - a turn each
        await asyncio.sleep(0)
    assert [receiver.processed for receiver in receivers] == expected
    assert not any(receiver.memory.is_reading_paused for receiver in receivers)


async def test_updates_that_are_due_go_first_and_hold_nothing_up_for_ever() -> None:
    """While they are due in every turn of the loop, every other one has a piece."""
    turn = 0
    worked: list[int] = []

    class Worker(Receiver):
        def process(self, data: bytes) -> None:
            worked.append(turn)
            super().process(data)

    def count() -> None:
        nonlocal turn
        turn += 1
        loop.call_soon(count)

    scheduler = InboundScheduler(LoopBudget(1.0, 10.0, 0.0), has_updates=lambda: True)
    loop, receiver = asyncio.get_running_loop(), Worker()
    loop.call_soon(count)

    scheduler.schedule(receiver, bytes(10 * PIECE_BYTES))
    assert worked == []
    await until(lambda: len(receiver.processed) == 10 * PIECE_BYTES, "processed")

    assert min(later - earlier for earlier, later in pairwise(worked)) >= 2


async def test_a_task_waits_for_updates_that_are_due() -> None:
    """It would delay them by one of its steps."""
    due = True
    scheduler = InboundScheduler(LoopBudget(CPU_SHARE, BURST_S, SLICE_S), has_updates=lambda: due)
    waiting = asyncio.create_task(scheduler.turn())
    await asyncio.sleep(0)
    assert len(scheduler) == 1
    due = False
    async with asyncio.timeout(5):
        await waiting


async def test_a_connection_that_fails_or_closes_does_not_stop_the_queue() -> None:
    """The one behind it has its turn."""

    class FailingReceiver(Receiver):
        def process(self, data: bytes) -> None:
            raise ValueError("a bug")

    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    scheduler = InboundScheduler(LoopBudget(CPU_SHARE, BURST_S, SLICE_S))
    failing, closed, last = FailingReceiver(), Receiver(), Receiver()
    for receiver in (failing, closed, last):
        scheduler.schedule(receiver, bytes(PIECE_BYTES + 1))
    scheduler.discard(closed)

    await until(lambda: len(last.processed) == PIECE_BYTES + 1, "processed")

    assert closed.processed == b""


async def test_updates_are_sent_before_a_flood_of_pings_is_answered() -> None:
    """And then every ping is answered."""
    flood = b"".join(client_frame(PING, b"%05d" % number) for number in range(2000))
    loop = asyncio.get_running_loop()
    async with serving() as served, served.dial() as client:
        (connection,) = served.connections
        async with served.dial(receive_buffer=1 << 18) as flooding_client:
            (flooding,) = served.connections - {connection}
            use_up_budget(served.context.inbound, 0.08)
            await loop.sock_sendall(flooding_client, flood)
            await until(lambda: flooding.has_unprocessed_input, "queued")
            served.publish("cloud-1")
            await read_until(client, b'"update"')
            assert flooding.has_unprocessed_input

            answers = await read_until(flooding_client, b"01999")
    assert answers.count(b"\x8a\x05") == 2000


async def test_a_connection_with_unprocessed_input_is_not_taken_for_dead() -> None:
    """A pong may be in it."""
    async with serving(heartbeat_s=0.2) as served, served.dial() as client:
        (connection,) = served.connections
        use_up_budget(served.context.inbound, 0.2)  # nothing is processed for a second
        await asyncio.get_running_loop().sock_sendall(
            client, client_frame(PING, b"here") + client_frame(PONG, b"")
        )
        await until(lambda: connection.has_unprocessed_input, "queued")
        await until(lambda: not connection.has_unprocessed_input, "processed")
        assert served.clients == 1


async def test_parts_of_a_frame_are_not_read_either_while_the_share_is_used_up() -> None:
    """A client may cut 64 KiB into as many pieces; meanwhile its system gathers them."""
    loop = asyncio.get_running_loop()
    ping = client_frame(TEXT, b'{"type":"ping","sent":1}')
    async with serving() as served, served.dial() as client:
        (connection,) = served.connections
        await loop.sock_sendall(client, ping[:10])
        await until(lambda: len(served.registry.messages) == 1, "begun")
        use_up_budget(served.context.inbound, 0.2)
        await loop.sock_sendall(client, ping[10:11])
        await until(lambda: connection.has_unprocessed_input, "queued")
        await loop.sock_sendall(client, ping[11:])
        await read_until(client, b'"pong"')


def use_up_budget(scheduler: InboundScheduler, excess_s: float) -> None:
    """Charge the budget as if other clients had sent much: it waits for `excess_s` / CPU_SHARE."""
    scheduler._budget.charge(BURST_S + excess_s)
