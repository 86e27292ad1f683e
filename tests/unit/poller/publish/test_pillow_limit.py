"""The limit of remembered pillows: made-up ids take no memory, and cost no state."""

from dataclasses import replace

from structlog.testing import capture_logs

from tests.fakes.virtual_time import virtual_time
from tests.unit.poller.world import Process, World, order, state

LIMIT = 100


def gauge(poller: Process, name: str) -> float | None:
    """Return the value of a gauge of the poller."""
    return poller.metrics.registry.get_sample_value(f"pillowcast_poller_{name}")


@virtual_time
async def test_made_up_ids_are_forgotten_and_a_pillow_that_speaks_is_not() -> None:
    """Each is published; the line is written once, and each that is forgotten is counted."""
    world = World()
    with capture_logs() as logs:
        async with world.running(world.start(max_pillows=LIMIT)) as poller:
            for number in range(10 * LIMIT):
                if number % (LIMIT // 2) == 0:
                    world.queue.put(state("real", 2 + number / 10))
                    await world.rest()
                world.queue.put(state(f"made-up-{number}", 1))
            await world.rest()
            world.queue.put(state("real", 1))
            await world.rest()
            assert gauge(poller, "pillows") == LIMIT
            assert poller.count("forgotten_pillows") == 9 * LIMIT + 1
            assert (poller.count("published"), poller.count("superseded")) == (1020, 1)
    [line] = [line for line in logs if "POLLER_MAX_PILLOWS" in line["event"]]
    assert line["limit"] == LIMIT


@virtual_time
async def test_the_next_state_of_a_forgotten_pillow_is_published() -> None:
    """Whatever it is, because nothing is known of an earlier one."""
    world = World()
    poller = world.start(max_pillows=1)
    for pillow, at_s in (("a", 2), ("b", 1), ("a", 1), ("a", 0)):
        world.queue.put(state(pillow, at_s))
        await world.rest()
    await poller.stop()
    assert (poller.count("published"), poller.count("superseded")) == (3, 1)
    assert world.broker.retained["a"].order == order(1)
    assert [one.order for one in world.broker.out_of_order] == [order(1)]


@virtual_time
async def test_no_pillow_is_forgotten_for_what_the_broker_retains() -> None:
    """A broker sends all that it retains at each connection, made-up ids too."""
    world = World()
    world.queue.put(state("real", 5))
    async with world.running(world.start(max_pillows=LIMIT)) as poller:
        await world.rest()
        known = world.broker.retained["real"]
        for number in range(3 * LIMIT):
            made_up = replace(known, pillow=f"made-up-{number}")
            world.broker.retained[made_up.pillow] = made_up
            world.broker.known[made_up.pillow] = made_up.order
        poller.broker.lose()
        await world.until(lambda: gauge(poller, "pillows") == LIMIT, "the retained states")
        world.queue.put(state("real", 4))
        await world.rest()
        assert poller.count("superseded") == 1
        assert poller.count("forgotten_pillows") == 2 * LIMIT + 1
