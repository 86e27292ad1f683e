"""The page handler: what happens to each message of a received page."""

import pytest

from tests.fakes.calls import Fault
from tests.fakes.virtual_time import now, virtual_time
from tests.unit.poller.world import World, order, state


@virtual_time
async def test_a_message_redelivered_while_in_flight_is_published_once() -> None:
    """The new pop receipt deletes it, and the second delivery counts as retried."""
    world = World()
    world.queue.put(state("a", 1))
    async with world.running(world.start(broker_latency_s=lambda: 5)) as poller:
        await world.until(lambda: poller.in_flight == 1, "one in flight")
        world.queue.end_leases()
        await world.until(lambda: poller.count("received") == 2, "a redelivery")
        assert poller.in_flight == 1
        await world.rest()
    assert poller.count("published") == poller.count("retried") == 1
    assert poller.count("deleted", outcome="deleted") == poller.count("deleted") == 1


@virtual_time
async def test_a_message_redelivered_while_it_is_deleted_is_not_published_again() -> None:
    """The deletion fails with the old pop receipt; at its next delivery it is superseded."""
    world = World(visibility_s=8)
    world.queue.put(state("a", 1))
    poller = world.start(queue_latency_s=lambda: 3 if now() < 3.5 else 0.01)
    async with world.running(poller):
        await world.until(lambda: "delete" in poller.calls.made, "a deletion")
        world.queue.end_leases()
        await world.rest()
    assert len(world.broker.accepted) == 1
    assert poller.count("received") >= 2


@pytest.mark.parametrize("text", [state("a", 1), "what?"])
@virtual_time
async def test_a_settled_message_is_only_deleted_when_redelivered(text: str) -> None:
    """Its deletion had failed; it is neither published nor dead-lettered a second time."""
    world = World(visibility_s=8)
    broken = True

    def fault(operation: str) -> Fault | None:
        # The lease ends only if it is neither renewed nor started again by a receive.
        fails = operation in ("delete", "renew") or (operation == "receive" and poller.in_flight)
        return Fault.LOST_REQUEST if broken and fails else None

    poller = world.start(fault=fault)
    world.queue.put(text)
    async with world.running(poller):
        await world.until(
            lambda: poller.count("deleted", outcome="failed") == 1, "a failed deletion"
        )
        # A newer last write, so that the redelivered state is no duplicate of it.
        world.queue.put(state("a", 2))
        broken = False
        await world.rest()
    ours = [one for one in world.broker.accepted if one.order == order(1)]
    assert len(ours) + len(world.queue.poison) == 1
    assert poller.count("retried") >= 1
    assert poller.count("deleted", outcome="deleted") == 2


@virtual_time
async def test_an_abandoned_message_is_published_when_redelivered() -> None:
    """It was not settled before."""
    world = World(visibility_s=8, max_attempts=50)
    world.broker.disconnects_on = lambda _update: now() < 5
    world.queue.put(state("a", 1))
    async with world.running() as poller:
        await world.rest()
    assert poller.count("published") == 1
    assert poller.count("retried") >= 1
    world.check_newest()


@virtual_time
async def test_a_message_is_dead_lettered_after_max_attempts() -> None:
    """The last allowed attempt is still published."""
    world = World(max_attempts=5)
    world.queue.put(state("a", 1), attempts=4)
    world.queue.put(state("b", 1), attempts=5)
    async with world.running() as poller:
        await world.rest()
    assert world.queue.poisoned_ids == ["m1"]
    assert poller.count("dead_lettered", reason="too-many-attempts") == 1
    assert world.broker.retained.keys() == {"a"}


@virtual_time
async def test_an_exhausted_message_that_was_published_is_superseded() -> None:
    """Its deletion failed until its attempts were used up, but the broker has its state."""
    world = World(visibility_s=8)
    first = world.start(
        fault=lambda operation: Fault.LOST_REQUEST if operation in ("delete", "renew") else None
    )
    world.queue.put(state("a", 1))
    async with world.running(first):
        await world.until(
            lambda: world.queue.messages["m0"].attempts > 6, "more attempts than are allowed"
        )
        await first.crash()
    async with world.running() as second:
        await world.rest()
    assert world.queue.poison == []
    assert second.count("superseded") == 1
