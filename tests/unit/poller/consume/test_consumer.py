"""The consumer: how often the queue is polled, and by how many fetch loops."""

import asyncio
from itertools import pairwise

import pytest

from azure_queue.service import PAGE_SIZE
from poller.consume.consumer import MAX_FETCH_LOOPS
from poller.in_flight import InFlight
from poller.settle.deletion import MAX_DELETIONS
from tests.fakes.calls import Fault
from tests.fakes.queue import DENIED
from tests.fakes.virtual_time import now, virtual_time
from tests.unit.poller.world import World, state

pytestmark = pytest.mark.timeout(180)


@virtual_time
async def test_the_poll_policy_sets_the_rate_of_polls() -> None:
    """An idle queue is polled at the ceiling, a full one without a delay."""
    world = World()
    async with world.running() as poller:
        await asyncio.sleep(600)
        idle = len(poller.queue.receive_times)
        assert 600 / 2.1 < idle < 600 / 1.5
        for number in range(320):
            world.queue.put(state(f"p{number}", 1))
        await world.until(lambda: poller.count("polls", found="full") == 10, "ten pages")
        first, *_, last = poller.queue.receive_times[-10:]
        assert last - first < 0.5


@virtual_time
async def test_a_queue_that_denies_access_is_polled_twice_a_minute() -> None:
    """Readiness reports the error with the setting to check."""
    world = World()
    poller = world.start(fault=lambda _operation: Fault.DENIED)
    async with world.running(poller):
        await asyncio.sleep(300)
        assert 5 <= len(poller.calls.made) <= 11
        assert poller.queue_state == f"receive: {DENIED}"


@virtual_time
async def test_a_full_queue_is_drained_by_concurrent_requests() -> None:
    """With 10 ms a request, 2,000 messages a second need several requests of each kind at once."""
    world = World()
    for number in range(4000):
        world.queue.put(state(f"p{number}", 1))
    poller = world.start(queue_latency_s=lambda: 0.01, broker_latency_s=lambda: 0.0005)
    async with world.running(poller):
        begun = now()
        await world.until(lambda: not world.queue.messages, "an empty queue", step_s=0.01)
        assert 4000 / (now() - begun) > 2000
    assert 1 < poller.calls.most_concurrent["receive"] <= MAX_FETCH_LOOPS
    assert poller.calls.most_concurrent["delete"] <= MAX_DELETIONS
    assert poller.count("received") == poller.count("published") == 4000


@virtual_time
async def test_pages_that_are_not_full_are_fetched_by_one_loop() -> None:
    """More loops would cost requests and return no more messages."""
    world = World()
    async with world.running() as poller:
        for number in range(100):
            for other in range(PAGE_SIZE - 1):
                world.queue.put(state(f"p{other}", number))
            await world.until(lambda: not world.queue.messages, "an empty queue")
    assert poller.calls.most_concurrent["receive"] == 1


@virtual_time
async def test_extra_fetch_loops_end_with_the_last_full_page() -> None:
    """After a backlog the idle queue is polled as rarely as before it."""
    world = World()
    for number in range(1000):
        world.queue.put(state(f"p{number}", 1))
    async with world.running() as poller:
        await world.rest()
        await asyncio.sleep(60)
        asked = poller.queue.receive_times
        late = [one for one in asked if one > now() - 40]
        assert all(after - before > 1.5 for before, after in pairwise(late))


@virtual_time
async def test_an_extra_fetch_loop_ends_on_failure() -> None:
    """The first loop retries, and afterwards every message is received."""
    world = World()
    for number in range(2000):
        world.queue.put(state(f"p{number}", 1))
    broken = False
    poller = world.start(
        fault=lambda operation: Fault.LOST_ANSWER if broken and operation == "receive" else None
    )
    async with world.running(poller):
        await world.until(lambda: poller.calls.most_concurrent["receive"] > 1, "several loops")
        broken = True
        await world.until(
            lambda: poller.count("queue_failures", operation="receive") > 3, "failures"
        )
        broken = False
        await world.rest()
    world.check_newest()


@pytest.mark.parametrize("fault", [Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.THROTTLED])
@virtual_time
async def test_one_failed_page_costs_no_request_for_each_message(fault: Fault) -> None:
    """At a second for each request, the next 32 messages cost 32 seconds."""
    world = World(visibility_s=10)
    for number in range(64):
        world.queue.put(state(f"p{number}", 1))
    failed: list[float] = []

    def fails_once(operation: str) -> Fault | None:
        if operation == "receive" and not failed:
            failed.append(now())
            return fault
        return None

    poller = world.start(fault=fails_once, queue_latency_s=lambda: 1.0)
    async with world.running(poller):
        await world.until(lambda: not world.queue.messages, "an empty queue", within_s=25)
    assert max(poller.queue.received) == PAGE_SIZE
    assert len([one for one in poller.queue.received if one]) <= 64 / 8 + 2


@virtual_time
async def test_an_error_while_room_is_reserved_ends_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing handles it, so it must not be lost with the task that waited for room."""

    async def break_down(_window: InFlight) -> int:
        raise AssertionError("the window is exceeded")

    monkeypatch.setattr(InFlight, "reserve_page", break_down)
    poller = World().start()
    error = pytest.RaisesExc(AssertionError, match="the window is exceeded")
    with pytest.RaisesGroup(error, flatten_subgroups=True):
        await poller.running
