"""How much of the event loop's time handshakes, HTTP and inbound data may take."""

import asyncio
import time

import pytest

from gateway.transport.inbound_scheduler import InboundScheduler
from gateway.transport.loop_budget import LoopBudget
from gateway.transport.metered import Metered
from tests.unit.gateway.transport.transports import MemoryTransport
from tests.waiting import until

WORK_S = 0.004


def work() -> None:
    """Use the processor for WORK_S."""
    end_s = time.monotonic() + WORK_S
    while time.monotonic() < end_s:
        pass


class Worker:
    """A connection whose data takes WORK_S to process."""

    def __init__(self, done: list[str]) -> None:
        self.transport = MemoryTransport()
        self._done = done

    def read_again(self) -> None:
        """Read on."""
        self.transport.resume_reading()

    def piece_bytes(self, data: bytes | bytearray) -> int:
        """Return all."""
        return len(data)

    def process(self, _data: bytes) -> None:
        """Work, and note it."""
        work()
        self._done.append("work")


async def test_a_turn_of_the_loop_has_one_slice_of_work() -> None:
    """What else is due, as an update is, waits for one piece of work and not for all."""
    done: list[str] = []
    scheduler = InboundScheduler(LoopBudget(1.0, 10.0, WORK_S / 2))
    loop = asyncio.get_running_loop()

    def tick() -> None:
        done.append("turn")
        if done.count("work") < 20:
            loop.call_soon(tick)

    for _ in range(20):
        scheduler.schedule(Worker(done), b"x")
    assert done == ["work"]
    loop.call_soon(tick)
    await until(lambda: done.count("work") == 20, "worked")

    assert "work work" not in " ".join(done[1:])


async def test_work_takes_its_share_of_the_time_and_no_more() -> None:
    """Behind what was saved up, which is nothing here."""
    done: list[str] = []
    share = 0.25
    scheduler = InboundScheduler(LoopBudget(share, 0.0, 1.0))
    began_s = time.monotonic()

    for _ in range(11):
        scheduler.schedule(Worker(done), b"x")
    await until(lambda: len(done) == 11, "worked")

    assert time.monotonic() - began_s >= 10 * WORK_S / share


async def test_tasks_and_connections_have_turns_in_the_order_of_their_arrival() -> None:
    """No handshake overtakes a request that waits, or the other way round."""
    done: list[str] = []
    scheduler = InboundScheduler(LoopBudget(0.2, 0.0, 1.0))

    async def respond() -> None:
        await scheduler.turn()
        done.append("task")
        scheduler.charge(0.001)

    scheduler.schedule(Worker(done), b"x")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(respond())
        await asyncio.sleep(0)
        scheduler.schedule(Worker(done), b"x")
        tasks.create_task(respond())
        await asyncio.sleep(0)
        assert len(scheduler) == 3

    assert done == ["work", "task", "work", "task"]


async def test_a_cancelled_task_gives_its_turn_up() -> None:
    """A client that left is not waited for."""
    done: list[str] = []
    scheduler = InboundScheduler(LoopBudget(0.2, 0.0, 1.0))
    scheduler.schedule(Worker(done), b"x")
    waiting = asyncio.create_task(scheduler.turn())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    scheduler.schedule(Worker(done), b"x")

    await until(lambda: len(done) == 2, "worked")


async def test_every_step_of_a_coroutine_is_charged_and_no_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also the last one, and one that an error ends."""
    charged: list[float] = []
    now_s = 0.0
    monkeypatch.setattr("gateway.transport.metered.time.monotonic", lambda: now_s)

    def pass_time(seconds: float) -> None:
        nonlocal now_s
        now_s += seconds

    async def coroutine(error: Exception | None) -> None:
        pass_time(1)
        asyncio.get_running_loop().call_soon(pass_time, 100)
        await asyncio.sleep(0)
        pass_time(2)
        if error is not None:
            raise error

    await Metered(coroutine(None), charged.append)
    assert charged == [1, 2]
    with pytest.raises(KeyError):
        await Metered(coroutine(KeyError("x")), charged.append)
    assert charged == [1, 2, 1, 2]


async def test_a_metered_coroutine_can_be_cancelled() -> None:
    """It is told where it waits, as every coroutine is."""
    told: list[str] = []

    async def coroutine() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            told.append("cancelled")
            raise

    async def metered() -> None:
        await Metered(coroutine(), lambda _s: None)

    task = asyncio.create_task(metered())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == ["cancelled"]
