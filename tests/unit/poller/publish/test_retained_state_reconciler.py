"""Reconciliation: with any number of pollers the broker ends with the last write of each pillow."""

import asyncio
from dataclasses import replace

import pytest
import structlog

from tests.fakes.virtual_time import virtual_time
from tests.unit.poller.world import World, order, state


@virtual_time
async def test_three_pollers_on_one_queue_end_with_the_newest() -> None:
    """A state that one publishes after a newer one of another is replaced again."""
    world = World()
    for number in range(200):
        world.queue.put(state(f"p{number % 4}", (number * 37) % 200))
    first = world.start(broker_latency_s=lambda: 0.3)
    second = world.start(broker_latency_s=lambda: 0.05)
    async with world.running():
        await world.rest()
        await asyncio.sleep(5)
        world.check_newest()
    for poller in (first, second):
        await poller.stop()


@pytest.mark.parametrize("loop_back", [False, True], ids=["MQTT 5", "MQTT 3.1.1"])
@virtual_time
async def test_a_poller_does_not_republish_against_its_own_states(loop_back: bool) -> None:
    """Its own older states, confirmed or looped back late, are no reason to republish."""
    world = World()
    for number in range(300):
        world.queue.put(state("a", number))
    async with world.running(world.start(loop_back=loop_back)) as poller:
        await world.rest()
        assert poller.count("republished") == 0
    world.check_newest()


@virtual_time
async def test_many_older_states_at_once_cause_two_publishes_at_most() -> None:
    """One publish is under way for each pillow, and at most one follows it."""
    world = World()
    world.queue.put(state("a", 100))
    async with world.running() as poller:
        await world.rest()
        newest = world.broker.accepted[0]
        for at_s in range(50):
            older = replace(newest, order=order(at_s), payload=b"{}")
            world.broker.retained["a"] = older
            poller.listener.on_state(older)
        await asyncio.sleep(1)
        assert 1 <= poller.count("republished") <= 2
    world.check_newest()


@virtual_time
async def test_a_refused_republish_is_retried_until_the_broker_accepts_it() -> None:
    """Otherwise the broker would keep the older state."""
    world = World()
    refusing = False
    world.broker.refuses = lambda _update: refusing
    world.queue.put(state("a", 5))
    async with world.running() as poller:
        await world.rest()
        refusing = True
        old = replace(world.broker.retained["a"], order=order(1))
        world.broker.retained["a"] = old
        poller.listener.on_state(old)
        await asyncio.sleep(60)
        refusing = False
        await world.until(lambda: poller.count("republished") == 1, "a republish")
    assert world.broker.retained["a"].order == order(5)


@virtual_time
async def test_a_state_that_the_broker_finds_too_large_is_published_once_a_connection() -> None:
    """As by a broker that came back with nothing and a lower limit; the rest goes on."""
    world = World()
    world.queue.put(state("a", 1))
    world.queue.put(state("b", 1))
    async with world.running() as poller:
        await world.rest()
        world.broker.finds_too_large = lambda update: update.pillow == "a"
        world.broker.crash()
        with structlog.testing.capture_logs() as lines:
            for connection in (1, 2):
                world.broker.disconnect_all()
                world.broker.connect_all()
                await asyncio.sleep(600)
                assert poller.count("too_large_states") == connection
        assert [one["pillow"] for one in lines if one["log_level"] == "error"] == ["a"]
        assert world.broker.retained.keys() == {"b"}

        # A save mark goes out all the same: "b" may be removed while nobody is connected.
        world.broker.save()
        world.broker.disconnect_all()
        world.broker.remove("b")
        world.broker.finds_too_large = lambda _update: False
        world.broker.connect_all()
        await world.until(lambda: "a" in world.broker.retained, "published after all")
        await asyncio.sleep(10)
    assert world.broker.retained.keys() == {"a"}
