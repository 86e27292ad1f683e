"""A stop: what is in hand is given back at once, also messages that are still on their way."""

import asyncio
from typing import Any

import pytest

from contract.updates import decode_state
from tests.fakes.calls import Fault
from tests.fakes.queue import Turns
from tests.fakes.virtual_time import now, virtual_time
from tests.unit.poller.world import World, state

pytestmark = pytest.mark.timeout(180)


def world_with(messages: int, *, visibility_s: float = 300) -> World:
    """Return a world whose queue has messages of different pillows."""
    world = World(visibility_s=visibility_s)
    for number in range(messages):
        world.queue.put(state(f"p{number}", 1))
    return world


def hidden(world: World) -> int:
    """Return the number of messages that no consumer can receive now."""
    return sum(one.visible_at > now() for one in world.queue.messages.values())


@pytest.mark.parametrize("requests_a_second", [60, 1000])
@virtual_time
async def test_a_silent_broker_leaves_no_message_hidden(requests_a_second: float) -> None:
    """150 of 400 stayed hidden for a lease of 300 s, at 60 requests a second."""
    world = world_with(400)
    world.broker.never_confirms = lambda _update: True
    poller = world.start(queue_wait_s=Turns(requests_a_second), queue_latency_s=lambda: 0.002)
    async with world.running(poller):
        await world.until(lambda: poller.in_flight >= 250, "a full window")
        await asyncio.sleep(10)
        stopped_at = now()
        await poller.stop(within_s=8)
        assert now() - stopped_at < 0.5 + 260 / requests_a_second, "it does not wait for the broker"
        assert hidden(world) == 0
    assert len(world.queue.messages) == 400


@pytest.mark.parametrize("stop_after_s", [0.2, 0.5, 0.9, 1.1, 1.5, 2.05, 2.5])
@virtual_time
async def test_a_page_that_arrives_after_the_signal_is_given_back(stop_after_s: float) -> None:
    """With a second for each request, pages are on their way at most times."""
    world = world_with(400)
    world.broker.never_confirms = lambda _update: True
    poller = world.start(queue_latency_s=lambda: 1.0)
    async with world.running(poller):
        await asyncio.sleep(stop_after_s)
        await poller.stop(within_s=9)
        assert hidden(world) == 0
    assert poller.in_flight == 0


@pytest.mark.parametrize("failing", [Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.THROTTLED])
@virtual_time
async def test_a_release_that_fails_is_repeated_until_the_deadline(failing: Fault) -> None:
    """In a storm in which two of three requests fail."""
    world = world_with(200)
    world.broker.never_confirms = lambda _update: True
    calls = 0

    def fault(operation: str) -> Fault | None:
        nonlocal calls
        calls += operation == "release"
        return failing if operation == "release" and calls % 3 else None

    poller = world.start(fault=fault)
    async with world.running(poller):
        await world.until(lambda: poller.in_flight == 200, "200 in flight")
        await poller.stop(within_s=9)
        assert hidden(world) == 0


@virtual_time
async def test_what_cannot_be_given_back_is_logged_and_counted() -> None:
    """A queue that answers no release does not hold up the stop."""
    world = world_with(20)
    world.broker.never_confirms = lambda _update: True
    poller = world.start(
        fault=lambda operation: Fault.LOST_REQUEST if operation == "release" else None
    )
    async with world.running(poller):
        await world.until(lambda: poller.in_flight == 20, "20 in flight")
        await poller.stop(within_s=7.5)
    assert poller.in_flight == 0
    assert poller.count("retried") == 20


@virtual_time
async def test_nothing_is_published_after_messages_were_given_back() -> None:
    """A page that arrives then is given back as well, also what cannot be decoded in it."""
    world = World(visibility_s=300)
    world.broker.never_confirms = lambda update: update.pillow == "slow"
    world.queue.put(state("slow", 1))
    poller = world.start(queue_latency_s=lambda: 0.01 if now() < 9.5 else 2.5)
    async with world.running(poller):
        await asyncio.sleep(10.0)
        world.queue.put("what?")
        world.queue.put(state("late", 1))
        await asyncio.sleep(2.0)
        await poller.stop(within_s=9)
        assert "late" not in world.broker.retained
        assert hidden(world) == 0
    assert world.queue.poison == []


@virtual_time
async def test_a_state_that_is_heard_during_a_stop_does_not_keep_it_from_ending() -> None:
    """It would start a repair, for which the broker is no longer waited."""
    world = World()
    world.broker.never_confirms = lambda update: update.pillow == "slow"
    world.broker.refuses = lambda update: update.pillow == "b"
    world.queue.put(state("slow", 1))
    poller = world.start(queue_latency_s=lambda: 1.5)
    async with world.running(poller):
        await asyncio.sleep(20)
        heard: Any = [decode_state("b", state("b", at_s).encode()) for at_s in (9, 5)]
        poller.listener.on_state(heard[0])
        poller.stopping.set()
        for step in range(60):
            await asyncio.sleep(0.1)
            if not poller.running.done():
                poller.listener.on_state(heard[1 if step % 2 else 0])
        await asyncio.sleep(4)
        assert poller.running.done()
        poller.broker.close()
