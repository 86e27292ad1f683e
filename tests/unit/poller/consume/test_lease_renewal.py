"""Lease renewal: at half the lease, and never beside a deletion of the same message."""

import asyncio
from itertools import pairwise

import pytest

from tests.fakes.calls import Fault
from tests.fakes.virtual_time import now, virtual_time
from tests.unit.poller.world import World, state


@virtual_time
async def test_a_lease_is_renewed_after_half_its_length() -> None:
    """Not before half of it has passed, and at 5/8 of it at the latest."""
    world = World(visibility_s=16)
    world.broker.never_confirms = lambda _update: now() < 100
    world.queue.put(state("a", 1))
    renewals: list[float] = []

    def fault(operation: str) -> Fault | None:
        if operation == "renew":
            renewals.append(now())
        return None

    poller = world.start(fault=fault)
    async with world.running(poller):
        await asyncio.sleep(101)
        world.broker.disconnect_all()
        await world.rest()
    gaps = [later - one for one, later in pairwise(renewals)]
    assert len(gaps) >= 8
    assert all(8 <= gap <= 16 * 5 / 8 + 0.5 for gap in gaps)
    assert world.queue.deleted == ["m0"]
    assert poller.count("received") == 1


@pytest.mark.parametrize("confirmed_at", [round(4.9 + 0.05 * step, 2) for step in range(30)])
@virtual_time
async def test_a_deletion_waits_for_a_renewal_under_way(confirmed_at: float) -> None:
    """Otherwise it would use a pop receipt that the renewal has just invalidated."""
    world = World(visibility_s=8)
    world.queue.put(state("a", 1))
    poller = world.start(broker_latency_s=lambda: confirmed_at / 2, queue_latency_s=lambda: 0.6)
    async with world.running(poller):
        await world.rest()
        assert poller.count("deleted", outcome="deleted") == 1
        assert poller.count("received") == 1


@virtual_time
async def test_a_lease_lost_while_publishing_costs_at_most_a_duplicate() -> None:
    """The other consumer settles the message; here the deletion ends as lease lost."""
    world = World()
    world.broker.never_confirms = lambda _update: now() < 50
    world.queue.put(state("a", 1))
    async with world.running() as poller:
        await world.until(lambda: len(world.broker.accepted) == 1, "a publish")
        world.queue.steal("m0", visibility_s=300)
        await world.until(lambda: now() > 50, "50 s")
        world.broker.disconnect_all()
        await world.until(lambda: poller.in_flight == 0, "none in flight")
        assert list(world.queue.messages) == ["m0"]
        await world.rest()
    assert poller.count("received") == 2
    assert poller.count("lease_renewals", outcome="lost") == 1
    world.check_newest()


@virtual_time
async def test_throttled_deletions_do_not_delay_renewals() -> None:
    """Deletions are throttled for a minute, and every lease is kept meanwhile."""
    world = World(visibility_s=8)
    world.broker.never_confirms = lambda update: now() < 60 and update.pillow != "p0"
    poller = world.start(
        fault=lambda operation: Fault.THROTTLED if operation == "delete" and now() < 60 else None,
        reconnect_s=0.1,
    )
    for number in range(50):
        world.queue.put(state(f"p{number}", 1))
    async with world.running(poller):
        await world.until(lambda: now() > 60, "60 s")
        assert all(one.attempts == 1 for one in world.queue.messages.values())
        world.broker.disconnect_all()
        await world.rest()
    assert poller.count("retried") == 0
