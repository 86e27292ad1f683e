"""Pillows appear in Home Assistant and leave it, with pollers and a broker that fail."""

import asyncio
import json

from structlog.testing import capture_logs

from tests.fakes.virtual_time import virtual_time
from tests.unit.poller.world import DISCOVERY_TOPICS, Process, World, state


def start(world: World, max_pillows: int = 100) -> Process:
    """Start a poller that keeps availability and writes discovery messages."""
    return world.start(offline_after_s=60, discovery_max_pillows=max_pillows)


def components(world: World, pillow: str) -> set[str] | None:
    """Return the names of a pillow's entities, as the broker has them."""
    message = world.broker.values.get(DISCOVERY_TOPICS.config(pillow))
    return None if message is None else set(json.loads(message.payload)["components"])


def written(world: World) -> int:
    """Return how many discovery messages were published."""
    return sum(message.topic.endswith("/config") for message in world.broker.published)


@virtual_time
async def test_a_pillow_appears_once_and_leaves_when_it_is_removed() -> None:
    """A poller that starts again, and one beside it, write nothing more."""
    world = World()
    first = start(world)
    for number in range(5):
        world.queue.put(state("a", number))
    await world.rest()
    await asyncio.sleep(1)
    assert components(world, "a") == {"state", "availability"}
    await first.stop()

    async with world.running(start(world)):
        await asyncio.sleep(3)
        battery = state("a", 10).replace('"seq":0', '"battery":0.5')
        world.queue.put(battery)
        await asyncio.sleep(3)
        assert components(world, "a") == {"state", "availability", "battery"}
        assert written(world) == 2
        world.broker.remove("a")
        await asyncio.sleep(1)
        assert components(world, "a") is None


@virtual_time
async def test_a_pillow_that_was_removed_while_no_poller_was_there_leaves_too() -> None:
    """With the next connection; others stay."""
    world = World()
    first = start(world)
    world.queue.put(state("a", 0))
    world.queue.put(state("b", 0))
    await world.rest()
    await asyncio.sleep(1)
    await first.stop()
    world.broker.remove("a")

    async with world.running(start(world)):
        await asyncio.sleep(3)
        assert components(world, "a") is None
        assert components(world, "b") is not None


@virtual_time
async def test_home_assistant_is_told_again_when_it_has_started() -> None:
    """Its birth message, which another client's retained one is not."""
    world = World()
    world.broker.publish("homeassistant/status", b"online")
    async with world.running(start(world)):
        world.queue.put(state("a", 0))
        await asyncio.sleep(3)
        before = written(world)
        world.broker.publish("homeassistant/status", b"offline")
        await asyncio.sleep(1)
        assert written(world) == before
        world.broker.publish("homeassistant/status", b"online")
        await asyncio.sleep(1)
        assert written(world) == before + 1


@virtual_time
async def test_more_pillows_than_allowed_are_counted_and_reported_once() -> None:
    """Made-up ids must not fill Home Assistant."""
    world = World()
    with capture_logs() as logs:
        async with world.running(start(world, max_pillows=3)) as poller:
            for number in range(10):
                world.queue.put(state(f"p-{number}", 0))
            await world.rest()
            await asyncio.sleep(1)
            assert written(world) == 3
            assert poller.count("discovery_refused") == 7
            assert poller.count("discovery_written") == 3
    assert len([one for one in logs if "HOME_ASSISTANT_MAX_PILLOWS" in one["event"]]) == 1


@virtual_time
async def test_a_battery_in_another_field_is_none() -> None:
    """Fields that are not known are forwarded as they came."""
    world = World()
    async with world.running(start(world)):
        world.queue.put(state("a", 0).replace('"seq":0', '"note":{"battery":0.5}'))
        await asyncio.sleep(3)

        assert components(world, "a") == {"state", "availability"}
