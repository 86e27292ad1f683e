"""Broker events: states of others, removals, and a broker that lost its memory."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

from tests.fakes.virtual_time import virtual_time
from tests.unit.poller.world import World, order, state


@virtual_time
async def test_a_state_too_far_in_the_future_is_ignored() -> None:
    """It is counted, and messages of its pillow are published all the same."""
    world = World()
    world.queue.put(state("a", 1))
    async with world.running() as poller:
        await world.rest()
        known = world.broker.retained["a"]
        poller.listener.on_state(replace(known, order=order(100 * 365 * 86_400)))
        world.queue.put(state("a", 2))
        await world.rest()
    assert poller.count("published") == 2
    assert poller.count("future_states") == 1
    assert poller.count("superseded") == 0


@virtual_time
async def test_a_retained_state_too_far_ahead_supersedes_no_message() -> None:
    """It arrives before the queue's time is known, and this machine's clock may be behind."""
    world = World()
    async with world.running():
        world.queue.put(state("b", 1))
        await world.rest()
    known = world.broker.accepted[0]
    ahead = replace(known, pillow="a", order=order(14 * 3600))
    valid = replace(known, pillow="c", order=order(60))
    world.broker.retained["a"] = ahead
    world.broker.retained["c"], world.broker.known["c"] = valid, valid.order
    for number in range(1, 31):
        world.queue.put(state("a", number))
    world.queue.put(state("c", 2))
    late = world.start(connected=False, clock_ahead_s=-7200.0)
    async with world.running(late):
        late.broker.connect()
        await world.rest()
        assert late.count("future_states") == 1
        assert late.count("published") == 30
        assert late.count("superseded") == 1, "a newer retained state still counts"


@virtual_time
async def test_hops_are_in_the_queue_s_time_whatever_this_machine_s_clock_shows() -> None:
    """Also when it is set while the poller runs."""
    for ahead_s in (60.0, -60.0, 20.0, 120.0, 86_400.0 * 365):
        world = World()
        poller = world.start(clock_ahead_s=ahead_s)
        async with world.running(poller):
            for number in range(3):
                world.queue.put(state("a", number))
                await asyncio.sleep(1)
            await world.rest()
        for update in world.broker.accepted:
            assert update.queued_ms is not None
            assert update.published_ms is not None
            assert 0 <= update.published_ms - update.queued_ms <= 3000


@virtual_time
async def test_a_pillow_removed_during_reconciliation_stays_removed() -> None:
    """There is no last write to publish any more."""
    world = World()
    world.queue.put(state("a", 100))
    async with world.running() as poller:
        await world.rest()
        newest = world.broker.accepted[0]
        del world.broker.retained["a"]
        poller.listener.on_state(replace(newest, order=order(1), payload=b"{}"))
        poller.listener.on_removed("a")
        await asyncio.sleep(1)
        assert poller.count("republished") == 0
        assert world.broker.retained == {}


@virtual_time
async def test_a_broker_without_memory_gets_every_last_write_again() -> None:
    """Although the queue has long been empty."""
    world = World()
    for number in range(10):
        world.queue.put(state(f"p{number}", number))
    async with world.running() as poller:
        await world.rest()
        world.broker.crash()
        await world.until(lambda: len(world.broker.retained) == 10, "every last write")
        await asyncio.sleep(1)
        assert poller.count("republished") == 10
    world.check_newest()


@virtual_time
async def test_a_broker_that_always_dies_before_saving_gets_the_last_write_each_time() -> None:
    """Even if the state itself is old, and pollers are replaced meanwhile."""
    world = World()
    world.queue.put(state("a", 1))
    async with AsyncExitStack() as stack:
        poller = await stack.enter_async_context(world.running())
        await world.rest()
        for _ in range(10):
            world.broker.crash()
            await world.until(lambda: "a" in world.broker.retained, "a republish")
            successor = await stack.enter_async_context(world.running())
            await asyncio.sleep(2)
            await poller.crash()
            poller = successor
            await asyncio.sleep(23)
    world.check_newest()
