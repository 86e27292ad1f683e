"""The depth monitor: two billed requests a minute, and no request before the queue exists."""

import asyncio
import math

from structlog.testing import capture_logs

from tests.fakes.calls import Fault
from tests.fakes.virtual_time import virtual_time
from tests.unit.poller.world import World, state


@virtual_time
async def test_the_depth_is_measured_twice_a_minute() -> None:
    """From the first successful operation on."""
    world = World()
    async with world.running() as poller:
        await asyncio.sleep(2)
        for _ in range(7):
            world.queue.put(state("a", 1), after_s=1000)
        await asyncio.sleep(598)
        assert 19 <= poller.calls.made.count("depth") <= 21
        gauge = poller.metrics.registry.get_sample_value("pillowcast_poller_queue_depth")
        assert gauge == 7
        world.queue.messages.clear()


@virtual_time
async def test_the_poison_queue_is_measured_every_five_minutes() -> None:
    """It is measured seldom, because it changes seldom."""
    world = World()
    world.queue.put("what?")
    async with world.running() as poller:
        value = poller.metrics.registry.get_sample_value
        assert math.isnan(value("pillowcast_poller_poison_queue_depth") or 0)
        await asyncio.sleep(601)
        assert poller.calls.made.count("poison_depth") == 3
        assert value("pillowcast_poller_poison_queue_depth") == 1


@virtual_time
async def test_a_denied_depth_does_not_make_the_queue_unhealthy() -> None:
    """It is logged once, and measured again when it is allowed."""
    world = World()
    world.queue.put(state("a", 1))
    allowed = False
    poller = world.start(
        fault=lambda operation: Fault.DENIED if operation == "depth" and not allowed else None
    )
    with capture_logs() as logs:
        async with world.running(poller):
            await world.rest()
            await asyncio.sleep(100)
            assert poller.queue_state == "ok"
            allowed = True
            world.queue.put(state("b", 1), after_s=1000)
            await asyncio.sleep(40)
            gauge = poller.metrics.registry.get_sample_value("pillowcast_poller_queue_depth")
            assert gauge == 1
            world.queue.messages.clear()
    assert [one["event"] for one in logs].count(
        "the depth is not measured; its metric is NaN until it is"
    ) == 1
