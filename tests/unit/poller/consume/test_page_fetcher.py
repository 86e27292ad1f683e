"""Fetching pages: only with a broker and with room in the in-flight window."""

import asyncio
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poller.in_flight import MAX_IN_FLIGHT
from tests.fakes.calls import Fault
from tests.fakes.virtual_time import virtual_time
from tests.hypothesis_profiles import examples
from tests.unit.poller.world import World, state

pytestmark = pytest.mark.timeout(180)


@virtual_time
async def test_nothing_is_received_without_a_broker() -> None:
    """Neither leases nor attempts are spent on messages that cannot be published."""
    world = World()
    world.queue.put(state("a", 1))
    poller = world.start(connected=False)
    async with world.running(poller):
        await asyncio.sleep(1000)
        assert poller.calls.made == []
        assert poller.queue_state == "no request was sent yet"
        poller.broker.connect()
        await world.rest()
    assert poller.count("published") == 1


@virtual_time
async def test_no_more_than_max_in_flight_messages_are_received() -> None:
    """A full window stops the polls, and each completed message makes room."""
    world = World()
    world.broker.never_confirms = lambda _update: True
    for number in range(MAX_IN_FLIGHT + 100):
        world.queue.put(state(f"p{number}", 1))
    async with world.running() as poller:
        await world.until(lambda: poller.in_flight >= MAX_IN_FLIGHT, "a full window")
        await asyncio.sleep(100)
        assert poller.in_flight == poller.broker.most_in_flight == MAX_IN_FLIGHT
        assert poller.count("received") == MAX_IN_FLIGHT
        world.confirm_again()
        await world.rest()
    assert poller.broker.most_in_flight == MAX_IN_FLIGHT


@settings(max_examples=examples(60))
@given(seed=st.integers(0, 2**32))
@virtual_time
async def test_concurrent_fetch_loops_do_not_exceed_the_window(seed: int) -> None:
    """At any latency of queue and broker."""
    chance = Random(seed)
    world = World(visibility_s=60)
    for number in range(MAX_IN_FLIGHT * 2):
        world.queue.put(state(f"p{chance.randrange(400)}", number))
    poller = world.start(
        queue_latency_s=lambda: chance.choice((0.001, 0.01, 0.1)),
        broker_latency_s=lambda: chance.choice((0.001, 0.1, 1.0)),
    )
    async with world.running(poller):
        while world.queue.messages:
            assert poller.in_flight <= MAX_IN_FLIGHT
            await asyncio.sleep(0.005)


@virtual_time
async def test_oldest_message_seconds_is_that_of_the_last_page() -> None:
    """It is 0 after an empty page."""
    world = World()
    broken = True
    poller = world.start(
        fault=lambda operation: Fault.LOST_REQUEST if broken and operation == "receive" else None
    )
    world.queue.put(state("a", 1))
    value = poller.metrics.registry.get_sample_value
    async with world.running(poller):
        await asyncio.sleep(100)
        broken = False
        await world.until(
            lambda: (value("pillowcast_poller_oldest_message_seconds") or 0) > 99,
            "the age of the message",
        )
        await world.rest()
        await asyncio.sleep(3)
        assert value("pillowcast_poller_oldest_message_seconds") == 0
        assert value("pillowcast_poller_attempts_count") == 1
