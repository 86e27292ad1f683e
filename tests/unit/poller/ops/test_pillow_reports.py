"""What a poller knows of a pillow."""

import asyncio
import json

from poller.settle.recent_dead_letters import MAX_RECENT, named_pillow
from tests.fakes.virtual_time import virtual_time
from tests.unit.poller.world import World, state


@virtual_time
async def test_it_has_the_last_write_the_superseded_message_and_dead_letters() -> None:
    world = World()
    world.queue.put(state("a", 10))
    async with world.running() as poller:
        await world.rest()
        world.queue.put(state("a", 1))
        world.queue.put('{"pillow":"a","state":"dancing"}')
        world.queue.put("nobody's")
        await world.rest()
        reports = poller.pipeline.reports
        report = reports.report("a")
        unknown = reports.report("b")
        everyone = reports.dead_letters.all()

    assert (report.known, report.state, report.refused) == (True, "hugging", None)
    assert [(one.kind, one.count) for one in report.notes] == [("superseded", 1)]
    assert [(one.pillow, one.reason) for one in report.dead_letters] == [("a", "unknown-state")]
    assert (unknown.known, unknown.notes, unknown.dead_letters) == (False, [], [])
    assert sorted(str(one.pillow) for one in everyone) == ["None", "a"]


@virtual_time
async def test_a_superseded_message_that_only_came_late_says_nothing_of_the_pillow() -> None:
    """It was queued before the newest one: a poller was killed that had received it."""
    world = World(visibility_s=5)
    first = world.start()
    world.queue.put(state("a", 1))
    world.broker.never_confirms = lambda _update: True
    await world.until(lambda: first.in_flight == 1, "a message in flight")
    await first.crash()
    world.broker.never_confirms = lambda _update: False
    await asyncio.sleep(2)
    world.queue.put(state("a", 10))
    async with world.running() as poller:
        await world.rest()
        report = poller.pipeline.reports.report("a")

    assert poller.count("superseded") == 1
    assert report.notes == []


def test_the_pillow_is_found_in_a_message_that_cannot_be_read() -> None:
    assert named_pillow(json.dumps({"pillow": "cloud-1", "state": 7})) == "cloud-1"
    assert named_pillow('{"state":"hugging", "pillow" : "cloud-1"') == "cloud-1"
    assert named_pillow('{"pillow":"Not One"}') is None
    assert named_pillow('{"pillow":"bridge"}') is None
    assert MAX_RECENT == 64
