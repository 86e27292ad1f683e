"""The queue reporter: what it says while messages wait, and while the queue does not answer."""

import asyncio

from contract.queue_report import QueueReport
from tests.fakes.calls import Fault
from tests.fakes.virtual_time import virtual_time
from tests.unit.poller.world import World, state


@virtual_time
async def test_an_empty_queue_is_said_once() -> None:
    """Nothing more for hours, because nothing changes."""
    world = World()
    async with world.running() as poller:
        await asyncio.sleep(7200)

    assert poller.broker.queue_reports == [QueueReport(0)]


@virtual_time
async def test_a_queue_that_does_not_answer_grows_old_and_recovers() -> None:
    """At most once in ten seconds meanwhile."""
    world, fails = World(), True
    poller = world.start(
        fault=lambda operation: Fault.LOST_REQUEST if fails and operation == "receive" else None
    )
    async with world.running(poller):
        await asyncio.sleep(100)
        reports = list(poller.broker.queue_reports)
        fails = False
        world.queue.put(state("a", 1))
        await world.rest()
        await asyncio.sleep(60)

    assert not any(report.answers for report in reports)
    assert reports[-1].oldest_s >= 85
    assert len(reports) <= 12
    assert poller.broker.queue_reports[-1] == QueueReport(0)
