"""The availability of pillows of the queue, with pollers and a broker that fail."""

import asyncio
import random
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from contract.availability import KEPT_BY
from poller.presence.availability_keeper import CHECK_S, MAX_WORDS
from runtime.mqtt import user_property
from tests.fakes.calls import Fault
from tests.fakes.virtual_time import virtual_time
from tests.unit.poller.world import Process, World, state

SILENCE_S = 60.0
LATE_S = 5.0
"""How late a word may be: a poll, two checks, and the resolution of the queue's clock."""


def start(world: World, **given: Any) -> Process:
    """Start a poller that keeps availability."""
    return world.start(offline_after_s=SILENCE_S, **given)


def word(world: World, pillow: str = "a") -> bytes | None:
    """Return the word that the broker has."""
    message = world.broker.values.get(f"pillow/{pillow}/availability")
    return None if message is None else message.payload


def words(world: World) -> list[bytes]:
    """Return all words that were published, in order."""
    return [message.payload for message in world.broker.published]


@virtual_time
async def test_a_silent_pillow_is_offline_and_a_new_state_makes_it_online() -> None:
    """A poller's word carries a property, and is written only when it changes."""
    world = World()
    async with world.running(start(world)):
        for number in range(5):
            world.queue.put(state("a", number))
            await asyncio.sleep(10)
        assert words(world) == [b"online"]
        await asyncio.sleep(SILENCE_S - 10 - 1)
        assert word(world) == b"online"
        await asyncio.sleep(1 + LATE_S)
        assert word(world) == b"offline"
        await asyncio.sleep(1000)
        world.queue.put(state("a", 2000))
        await asyncio.sleep(LATE_S)

        assert words(world) == [b"online", b"offline", b"online"]
        for message in world.broker.published:
            assert user_property(message.properties, KEPT_BY) == "poller"


@virtual_time
async def test_nothing_is_offline_while_the_queue_does_not_answer() -> None:
    """It is not known whether the pillow reports; what it reported meanwhile counts afterwards."""
    world = World()
    down = False
    poller = start(world, fault=lambda verb: Fault.DENIED if down and verb == "receive" else None)
    async with world.running(poller):
        world.queue.put(state("a", 0))
        world.queue.put(state("b", 0))
        await asyncio.sleep(10)
        down = True
        await asyncio.sleep(225)
        world.queue.put(state("a", 235))
        await asyncio.sleep(5)
        assert (word(world), word(world, "b")) == (b"online", b"online")
        down = False
        await asyncio.sleep(40)

        assert (word(world), word(world, "b")) == (b"online", b"offline")
        assert words(world) == [b"online", b"online", b"offline"]


@virtual_time
@pytest.mark.parametrize("clock_ahead_s", [0.0, 7200.0, -7200.0])
async def test_a_restarted_poller_counts_the_silence_from_before(clock_ahead_s: float) -> None:
    """By the queue's time: what its machine's clock says does not matter."""
    world = World()
    first = start(world)
    world.queue.put(state("a", 0))
    await asyncio.sleep(20)
    await first.stop()
    await asyncio.sleep(20)

    async with world.running(start(world, clock_ahead_s=clock_ahead_s)):
        await asyncio.sleep(SILENCE_S - 40 - 2)
        assert word(world) == b"online"
        await asyncio.sleep(2 + LATE_S)
        assert word(world) == b"offline"
        assert words(world) == [b"online", b"offline"]


@virtual_time
async def test_a_connection_that_comes_and_goes_does_not_keep_a_silent_pillow_alive() -> None:
    """Silence is not counted anew at each connection."""
    world = World()
    async with world.running(start(world)):
        world.queue.put(state("a", 0))
        for _ in range(20):
            await asyncio.sleep(3.5)
            world.broker.disconnect_all()
        await asyncio.sleep(LATE_S)

        assert word(world) == b"offline"


@virtual_time
async def test_what_a_killed_broker_lost_is_written_again() -> None:
    """It had saved `online`, and lost `offline`."""
    world = World()
    async with world.running(start(world)):
        world.queue.put(state("a", 0))
        await asyncio.sleep(10)
        world.broker.save()
        await asyncio.sleep(SILENCE_S)
        assert word(world) == b"offline"
        world.broker.crash()
        assert word(world) == b"online"
        await asyncio.sleep(1 + LATE_S)

        assert word(world) == b"offline"


@virtual_time
async def test_a_removed_pillow_has_no_availability() -> None:
    """Also one that was removed while no poller was there."""
    world = World()
    first = start(world)
    world.queue.put(state("a", 0))
    world.queue.put(state("b", 0))
    await asyncio.sleep(10)
    world.broker.remove("a")
    await asyncio.sleep(1)
    assert (word(world), word(world, "b")) == (None, b"online")

    await first.stop()
    world.broker.remove("b")
    async with world.running(start(world)):
        await asyncio.sleep(LATE_S)
        assert word(world, "b") is None
        await asyncio.sleep(2 * SILENCE_S)
        assert world.broker.values == {}


@virtual_time
async def test_a_pillows_own_word_is_not_overwritten() -> None:
    """It speaks MQTT and uses the queue too; also over a restart of the poller."""
    world = World()
    world.broker.publish("pillow/a/availability", b"online")
    first = start(world)
    world.queue.put(state("a", 0))
    await asyncio.sleep(2 * SILENCE_S)
    assert words(world) == [b"online"]
    await first.stop()

    async with world.running(start(world)):
        await asyncio.sleep(2 * SILENCE_S)
        world.broker.publish("pillow/a/availability", b"offline")
        await asyncio.sleep(10)
        assert words(world) == [b"online", b"offline"]
        world.queue.put(state("a", 300))
        await asyncio.sleep(LATE_S)
        assert words(world)[2:] == [b"online"]


@virtual_time
async def test_several_pollers_agree_and_write_little() -> None:
    """At most a word for each of them, and the last one is true, whatever comes meanwhile."""
    for seed in range(5):
        rng = random.Random(seed)
        world = World()
        latency_s = partial(rng.uniform, 0.001, 0.4)
        for _ in range(3):
            start(world, broker_latency_s=latency_s)
        changes = 0
        for number in range(6):
            world.queue.put(state("a", number * 70))
            changes += 2
            await asyncio.sleep(rng.uniform(SILENCE_S - 1, SILENCE_S + 5))
        await asyncio.sleep(2 * SILENCE_S)
        assert word(world) == b"offline", seed
        world.queue.put(state("a", 5000))
        await asyncio.sleep(10)
        world.queue.put(state("a", 5010))
        await asyncio.sleep(10)
        assert word(world) == b"online", seed
        assert len(words(world)) <= 3 * (changes + 2), seed
        await world.stop()


@virtual_time
async def test_a_poller_that_speaks_mqtt_3_1_1_keeps_the_words_of_pillows_of_the_queue() -> None:
    """Its own words come back to it, without a property."""
    world = World()
    async with world.running(start(world, loop_back=True)):
        world.queue.put(state("a", 0))
        await asyncio.sleep(SILENCE_S + LATE_S)
        assert words(world) == [b"online", b"offline"]
        world.queue.put(state("a", 100))
        await asyncio.sleep(LATE_S)
        assert words(world) == [b"online", b"offline", b"online"]
        world.broker.remove("a")
        await asyncio.sleep(LATE_S)
        assert word(world) is None


@virtual_time
async def test_a_broker_that_refuses_availability_is_reported_once_and_states_go_on() -> None:
    """With what to change; tried again on the next connection."""
    world = World()
    world.broker.refuses_values = True
    with capture_logs() as logs:
        async with world.running(start(world)) as poller:
            for number in range(5):
                world.queue.put(state(f"p-{number}", number))
            await world.rest()
            world.broker.disconnect_all()
            await asyncio.sleep(2)
            assert poller.count("published") == 5
            world.broker.refuses_values = False
            world.broker.disconnect_all()
            await asyncio.sleep(2)
            world.queue.put(state("p-1", 100))
            await asyncio.sleep(LATE_S)
            assert word(world, "p-1") == b"online"
            assert poller.count("availability_written") == 1

    (line,) = [one for one in logs if "refuses a value" in one["event"]]
    assert "POLLER_OFFLINE_AFTER=0" in line["advice"]


@virtual_time
async def test_a_fleet_that_falls_silent_together_is_written_a_thousand_a_second() -> None:
    """So that its words do not delay the states of others."""
    world = World()
    async with world.running(start(world)) as poller:
        for number in range(2500):
            world.queue.put(state(f"p-{number}", 0))
        await world.rest()
        await asyncio.sleep(SILENCE_S - 5)
        count = before = len(words(world))
        while count < before + 2500:
            await asyncio.sleep(CHECK_S)
            assert len(words(world)) <= count + MAX_WORDS
            count = len(words(world))
        assert poller.in_flight == 0


@virtual_time
async def test_pillows_above_the_limit_are_counted_and_reported_once() -> None:
    """Made-up ids, for instance."""
    world = World()
    with capture_logs() as logs:
        async with world.running(start(world, max_pillows=3)) as poller:
            for number in range(10):
                world.queue.put(state(f"p-{number}", 0))
            await world.rest()
            await asyncio.sleep(2 * CHECK_S)
            assert len(words(world)) == 3
            assert poller.count("availability_refused") == 7
    assert len([one for one in logs if "no pillow can give way" in one["event"]]) == 1


@virtual_time
async def test_a_word_that_crosses_an_own_one_is_written_again_with_the_next_state() -> None:
    """It is not known which of the two the broker has."""
    world = World()
    async with world.running(start(world, broker_latency_s=lambda: 0.3)):
        world.queue.put(state("a", 0))
        await asyncio.sleep(5)
        world.broker.publish("pillow/a/availability", b"")
        await asyncio.sleep(5)
        world.queue.put(state("a", 10))
        await asyncio.sleep(0.2)
        world.broker.publish("pillow/a/availability", b"offline", properties=b"")
        await asyncio.sleep(5)
        world.queue.put(state("a", 20))
        await asyncio.sleep(5)

        assert word(world) == b"online"


@virtual_time
async def test_words_that_are_none_are_ignored() -> None:
    """Any client may publish on the topic."""
    world = World()
    async with world.running(start(world)):
        world.queue.put(state("a", 0))
        await asyncio.sleep(5)
        world.broker.publish("pillow/a/availability", b"perhaps")
        world.broker.publish("pillow/bridge/x/y/availability", b"online")
        world.queue.put(state("a", 10))
        await asyncio.sleep(SILENCE_S + LATE_S)

        assert word(world) == b"offline"
