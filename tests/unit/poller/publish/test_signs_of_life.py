"""Signs of life: a pillow whose clock is behind is awake, and its newest state stays."""

import asyncio
import json

from structlog.testing import capture_logs

from poller.publish.signs_of_life import MIN_INTERVAL_S
from tests.fakes.queue import EPOCH_S
from tests.fakes.virtual_time import virtual_time
from tests.unit.poller.world import Process, World, order, state

HOUR_S = 3600


async def send_each_second(world: World, seconds: int, at_s: float) -> None:
    """Put a state a second on the queue, the first of them `at_s` after the epoch."""
    for number in range(seconds):
        world.queue.put(state("a", at_s + number, word="punching"))
        await asyncio.sleep(1)


def counts(poller: Process) -> dict[str, int]:
    """The counters that a superseded message changes."""
    return {name: poller.count(name) for name in ("published", "superseded", "signs_of_life")}


@virtual_time
async def test_a_pillow_two_hours_behind_gives_a_sign_of_life_every_five_seconds() -> None:
    """Its newest state stays, with fresh hops and the mark; each message ends as superseded."""
    world = World()
    world.queue.put(state("a", 0))
    async with world.running() as poller:
        await world.rest()
        with capture_logs() as logs:
            await send_each_second(world, 30, -2 * HOUR_S)
            await world.rest()
        assert (poller.count("published"), poller.count("superseded")) == (1, 30)
        assert 4 <= poller.count("signs_of_life") <= 6
    assert [line["behind_s"] for line in logs if line.get("pillow") == "a"] == [2 * HOUR_S]
    fields = json.loads(world.broker.retained["a"].payload)
    assert (fields["state"], fields["clock"]) == ("hugging", "behind")
    assert world.broker.retained["a"].order == order(0)
    assert EPOCH_S + 20 <= fields["hops"]["queued"] / 1000 <= fields["hops"]["published"] / 1000


@virtual_time
async def test_a_newer_state_clears_the_mark() -> None:
    """The pillow's clock was set."""
    world = World()
    world.queue.put(state("a", 0))
    async with world.running() as poller:
        await world.rest()
        await send_each_second(world, 10, -2 * HOUR_S)
        await send_each_second(world, 1, 20)
        await world.rest()
        assert counts(poller)["published"] == 2
    assert b"clock" not in world.broker.retained["a"].payload


@virtual_time
async def test_a_state_a_minute_late_is_a_sign_of_life_without_the_mark() -> None:
    """Messages may arrive out of order; within five minutes no clock is wrong."""
    world = World()
    world.queue.put(state("a", 0))
    async with world.running() as poller:
        await world.rest()
        await send_each_second(world, 3, -60)
        await world.rest()
        assert counts(poller) == {"published": 1, "superseded": 3, "signs_of_life": 1}
    assert b"clock" not in world.broker.retained["a"].payload


@virtual_time
async def test_a_second_delivery_is_no_sign_of_life() -> None:
    """Nor is an older message: neither was put on the queue after the newest one."""
    world = World()
    for at_s in (0, 1, 2):
        world.queue.put(state("a", at_s))
        await asyncio.sleep(1)
    async with world.running() as process:
        await world.rest()
        for name in ("m0", "m1", "m2"):
            text, queued_us = world.queue.texts[name], world.queue.queued_us[name]
            again = world.queue.put(text)
            world.queue.messages[again].queued_us = queued_us
            world.queue.queued_us[again] = queued_us
        await world.rest()
        assert counts(process)["signs_of_life"] == 0
        assert counts(process)["superseded"] == 3


@virtual_time
async def test_a_lost_connection_costs_only_the_sign_of_life() -> None:
    """The pillow's next message gives one; the message itself has ended."""
    world = World()
    world.queue.put(state("a", 0))
    async with world.running() as poller:
        await world.rest()
        world.broker.never_confirms = lambda _update: True
        await send_each_second(world, 2, -2 * HOUR_S)
        await world.rest()
        assert counts(poller)["signs_of_life"] == 0
        world.confirm_again()
        await asyncio.sleep(MIN_INTERVAL_S)
        await send_each_second(world, 1, -2 * HOUR_S)
        await world.until(lambda: poller.count("signs_of_life") > 0, "a sign of life")
