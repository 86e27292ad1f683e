"""Deletion: the freshest lease first, none that is over, and no more intake than it bears."""

import asyncio
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poller.background_tasks import BackgroundTasks
from poller.in_flight import InFlight, Outcome
from poller.metrics import PollerMetrics
from poller.queues import Body, DeleteResult, QueueUnavailable, ReceivedMessage
from poller.settle.deletion import MAX_DELETIONS, Deletions
from poller.settle.monitored_queue import MonitoredQueue
from poller.settle.queue_health import QueueHealth
from tests.fakes.calls import Fault
from tests.fakes.queue import Turns
from tests.fakes.virtual_time import now, virtual_time
from tests.unit.poller.world import Process, World, state

pytestmark = pytest.mark.timeout(180)


class SlowQueue:
    """A queue of which each deletion takes as long as it is told, or fails."""

    def __init__(self, outcomes: list[tuple[float, bool]]) -> None:
        self.sent: list[ReceivedMessage] = []
        self.sent_expired: list[str] = []
        self._outcomes = iter(outcomes)

    async def delete(self, message: ReceivedMessage) -> DeleteResult:
        """Delete a message after a while."""
        self.sent.append(message)
        if now() >= message.leased_until:
            self.sent_expired.append(message.id)
        took_s, fails = next(self._outcomes, (0.01, False))
        await asyncio.sleep(took_s)
        if fails:
            raise QueueUnavailable("503")
        return DeleteResult.DELETED


def deletions_of(queue: SlowQueue, tasks: BackgroundTasks) -> tuple[InFlight, Deletions]:
    """Return deletions from a queue, and their window."""
    metrics = PollerMetrics()
    in_flight = InFlight(lambda: 0)
    monitored = MonitoredQueue(queue, QueueHealth(metrics))  # type: ignore[arg-type]
    return in_flight, Deletions(monitored, in_flight, tasks, metrics)


async def delete_all(queue: SlowQueue, leases: list[float]) -> None:
    """Delete messages with leases of these lengths, and wait until none is in flight."""
    tasks = BackgroundTasks()
    in_flight, deletions = deletions_of(queue, tasks)
    async with asyncio.TaskGroup() as group:
        tasks.open(group)
        deletions.start()
        for number, lease_s in enumerate(leases):
            delivery = ReceivedMessage(f"m{number}", "r", Body("HUG", 0, 1), now() + lease_s)
            message = in_flight.add(delivery)
            in_flight.settle(message, Outcome.PUBLISHED)
            deletions.add(message)
        end = now() + 60
        while in_flight:
            assert now() < end, f"{len(in_flight)} are still in flight"
            await asyncio.sleep(0.5)
        await tasks.cancel()


@virtual_time
async def test_the_freshest_lease_goes_first() -> None:
    """Where the turn of all does not come in time, those are deleted whose turn does."""
    queue = SlowQueue([(1.0, False)] * 256)
    await delete_all(queue, [2.0 + number / 100 for number in range(256)])

    order = [message.leased_until for message in queue.sent]
    assert order == sorted(order, reverse=True)
    assert 2 * MAX_DELETIONS <= len(queue.sent) < 256, "the others had expired"
    assert queue.sent_expired == []


@settings(max_examples=50)
@given(
    st.lists(st.floats(0, 20), max_size=150),
    st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=300),
)
@virtual_time
async def test_nothing_is_sent_whose_lease_is_over_and_every_message_leaves_the_window(
    leases: list[float], outcomes: list[tuple[float, bool]]
) -> None:
    """Whatever deletions take, and whichever fail."""
    queue = SlowQueue(outcomes)
    await delete_all(queue, leases)

    assert queue.sent_expired == []


@virtual_time
async def test_deletions_that_always_fail_do_not_hold_others_up() -> None:
    """100 whose deletion fails do not take the place of those that can be deleted."""
    world = World()
    for number in range(100):
        world.queue.put(state(f"bad{number}", 1))
    world.queue.fails_to_delete = lambda message: "bad" in message.text
    async with world.running() as poller:
        await world.until(lambda: poller.count("published") == 100, "100 published")
        await asyncio.sleep(5)
        for number in range(100):
            world.queue.put(state(f"good{number}", 1))
        await world.until(
            lambda: len(world.queue.messages) == 100, "every good one deleted", within_s=5
        )
        world.queue.fails_to_delete = lambda _message: False
        await world.rest()


async def drain(world: World, poller: Process, *, within_s: float) -> int:
    """Wait until the queue is empty; returns the most messages that were in flight."""
    most = 0
    end = now() + within_s
    while world.queue.messages:
        assert now() < end, f"{len(world.queue.messages)} messages left"
        most = max(most, poller.in_flight)
        await asyncio.sleep(0.02)
    return most


@pytest.mark.parametrize("visibility_s", [2, 5])
@pytest.mark.parametrize("requests_a_second", [20, 60, 200])
@virtual_time
async def test_a_slow_queue_and_a_short_lease_make_progress(
    requests_a_second: float, visibility_s: float
) -> None:
    """A queue that answers one request after the other; at 60 a second and 2 s all expired."""
    world = World(visibility_s=visibility_s, max_attempts=100)
    for number in range(400):
        world.queue.put(state(f"p{number}", 1))
    poller = world.start(queue_wait_s=Turns(requests_a_second), queue_latency_s=lambda: 0.002)
    async with world.running(poller):
        most = await drain(world, poller, within_s=2 * 400 / requests_a_second)
    assert most <= max(64, requests_a_second * visibility_s / 2 * 1.1)
    assert poller.count("received") <= 1.2 * 400
    assert poller.queue.sent_expired == []


@virtual_time
async def test_a_second_for_each_request_and_a_lease_of_two_make_progress() -> None:
    """The lease is counted from the request, so that a second is left for the deletion."""
    world = World(visibility_s=2, max_attempts=100)
    for number in range(100):
        world.queue.put(state(f"p{number}", 1))
    poller = world.start(queue_latency_s=lambda: 0.98)
    async with world.running(poller):
        await drain(world, poller, within_s=60)
    assert poller.queue.sent_expired == []


@pytest.mark.parametrize("share", [2, 4])
@virtual_time
async def test_a_queue_that_refuses_many_requests_is_drained(share: int) -> None:
    """A storm of 503 answers, without and with Retry-After, at a lease of 2 s."""
    world = World(visibility_s=2, max_attempts=1000)
    for number in range(100):
        world.queue.put(state(f"p{number}", 1))
    random = Random(share)

    def fault(operation: str) -> Fault | None:
        if operation == "publish_state" or random.randrange(share) == 0:
            return None
        return Fault.THROTTLED if random.random() < 0.01 else Fault.LOST_REQUEST

    poller = world.start(fault=fault)
    async with world.running(poller):
        await world.rest(within_s=6000)
    assert poller.queue.sent_expired == []
    world.check_newest()


@virtual_time
async def test_a_receipt_that_another_consumer_replaced_ends_as_lease_lost() -> None:
    """The message is in flight no more, and the other consumer deletes it."""
    world = World()
    world.queue.put(state("a", 1))
    poller = world.start(broker_latency_s=lambda: 1.0)
    async with world.running(poller):
        await world.until(lambda: poller.in_flight == 1, "one in flight")
        world.queue.steal("m0", visibility_s=5)
        await world.until(lambda: poller.count("deleted", outcome="lease-lost") == 1, "lost")
        await world.rest()
    assert poller.count("received") == 2
