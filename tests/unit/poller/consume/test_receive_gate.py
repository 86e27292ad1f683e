"""The gate: with a broker, where no other poller receives, and several pages only alone."""

from tests.fakes.virtual_time import virtual_time
from tests.unit.poller.world import World, state


@virtual_time
async def test_without_coordination_every_poller_receives() -> None:
    """As with POLLER_NEWEST_ONLY: each finds messages and publishes them."""
    world = World()
    processes = [world.start(), world.start()]
    for number in range(1000):
        world.queue.put(state(f"p{number}", 1))
    await world.rest()
    assert all(one.count("published") > 0 for one in processes)
    assert [
        one.metrics.registry.get_sample_value("pillowcast_poller_active") for one in processes
    ] == [1, 1]
    await world.stop()


@virtual_time
async def test_the_gate_is_closed_without_a_broker() -> None:
    """Whether the poller would be active or not."""
    world = World()
    for takeover_s in (None, 3.0):
        poller = world.start(connected=False, takeover_s=takeover_s)
        async with world.running(poller):
            gauge = poller.metrics.registry.get_sample_value("pillowcast_poller_active")
            assert gauge == 0
