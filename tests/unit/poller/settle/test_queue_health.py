"""Queue health: failures are logged once, shown by readiness, and end with recovery."""

import asyncio
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from poller.settle.queue_outage import UNUSED_RECOVERY_S
from runtime.health import OK
from tests.fakes.calls import FAILURES, Fault
from tests.fakes.queue import THROTTLED_S
from tests.fakes.virtual_time import now, virtual_time
from tests.unit.poller.world import World, state

OPERATIONS = {
    "receive": "receive",
    "delete": "delete",
    "put_poison": "keep a dead letter",
    "renew": "renew",
}
"""What readiness calls each operation of the queue."""


@pytest.mark.parametrize("operation", ["receive", "delete", "put_poison", "renew", "release"])
@pytest.mark.parametrize("fault", FAILURES)
@virtual_time
async def test_any_operation_may_fail_in_any_way_for_a_while(operation: str, fault: Fault) -> None:
    """No message is lost, readiness names the operation, and recovers."""
    world = World(visibility_s=8, max_attempts=50)
    world.broker.disconnects_on = lambda update: update.pillow == "c" and now() < 20
    broken, seen = True, set[str]()
    poller = world.start(
        fault=lambda called: fault if broken and called == operation else None,
        broker_latency_s=lambda: 6,
    )
    for text in (state("a", 1), "what?", state("b", 1), state("c", 1)):
        world.queue.put(text)
    async with world.running(poller):
        for _ in range(120):
            await asyncio.sleep(0.5)
            seen.add(poller.queue_state)
        broken = False
        world.queue.put(state("d", 1))
        await world.rest()
        await asyncio.sleep(UNUSED_RECOVERY_S + 3)
        assert poller.queue_state == OK
    world.check_newest()
    assert set(world.queue.poisoned_ids) == {"m1"}
    if operation != "release":  # no message waits for it
        assert any(one.partition(":")[0] in OPERATIONS[operation] for one in seen), (
            "readiness names it"
        )
        assert poller.count("queue_failures") > 0


@virtual_time
async def test_an_operation_no_longer_fails_when_no_message_waits_for_it() -> None:
    """A failed renewal is forgotten a minute after its message was completed."""
    world = World(visibility_s=8)
    world.broker.never_confirms = lambda _update: now() < 20
    world.queue.put(state("a", 1))
    poller = world.start(
        fault=lambda operation: Fault.LOST_REQUEST if operation == "renew" else None,
        reconnect_s=0.1,
    )
    async with world.running(poller):
        await world.until(lambda: poller.queue_state.startswith("renew"), "a failing renewal")
        await world.until(lambda: now() > 20, "20 s")
        world.broker.disconnect_all()
        await world.rest()
        await asyncio.sleep(UNUSED_RECOVERY_S + 3)
        assert poller.queue_state == OK


@virtual_time
async def test_an_outage_is_logged_once_and_its_end_once() -> None:
    """However many requests fail between them."""
    world = World()
    broken = True
    poller = world.start(fault=lambda _operation: Fault.LOST_REQUEST if broken else None)
    with capture_logs() as logs:
        async with world.running(poller):
            await asyncio.sleep(300)
            broken = False
            await world.until(lambda: poller.queue_state == OK, "recovery")
            await asyncio.sleep(10)
    assert poller.count("queue_failures", operation="receive", kind="unavailable") > 10
    assert [one["event"] for one in logs] == [
        "queue operation failed; retrying",
        "queue works again",
    ]


@pytest.mark.parametrize("operation", ["receive", "delete", "put_poison"])
@virtual_time
async def test_retry_after_delays_receives_deletions_and_dead_letters(operation: str) -> None:
    """None follows before the time that the 503 answer gives has passed."""
    world = World(visibility_s=60)
    throttled: list[float] = []

    def fault(called: str) -> Fault | None:
        if called == operation and len(throttled) < 3 and world.queue.messages:
            throttled.append(now())
            return Fault.THROTTLED
        return None

    poller = world.start(fault=fault)
    for number in range(200):
        world.queue.put("what?" if operation == "put_poison" else state(f"p{number}", 1))
    async with world.running(poller):
        await world.rest()
    assert len(throttled) == 3
    # Requests that were under way at the first answer are throttled with it.
    later = [after for before, after in pairwise(throttled) if after - before > 0.1]
    assert all(after - throttled[0] >= THROTTLED_S for after in later)
    assert now() >= THROTTLED_S


@pytest.mark.parametrize("visibility_s", [30, 300])
@virtual_time
async def test_21_minutes_without_deletions_are_one_outage(visibility_s: float) -> None:
    """Messages arrive and are published meanwhile: 1,112 lines were written in that time."""
    world = World(visibility_s=visibility_s, max_attempts=10_000)
    broken = True
    poller = world.start(
        fault=lambda operation: Fault.LOST_REQUEST if broken and operation == "delete" else None
    )
    states = set[str]()
    with capture_logs() as logs:
        async with world.running(poller):
            for second in range(1260):
                if second % 60 == 0:
                    world.queue.put(state(f"p{second % 7}", second))
                await asyncio.sleep(1)
                if second > 5:
                    states.add(poller.queue_state.partition(":")[0])
            broken = False
            await world.until(lambda: poller.queue_state == OK, "recovery", within_s=120)
            await world.rest()
    assert states == {"delete"}
    events = [one["event"] for one in logs if "queue" in one["event"]]
    assert events == [
        "queue ready",
        "queue operation failed; retrying",
        "queue operation still fails; retrying",
        "queue works again",
    ]


@virtual_time
async def test_a_queue_that_fails_every_second_request_flips_no_gauge_with_each() -> None:
    """For as long as it does, it is one outage."""
    world = World(max_attempts=1000)
    calls = 0

    def fault(_operation: str) -> Fault | None:
        nonlocal calls
        calls += 1
        return Fault.LOST_ANSWER if calls % 2 and now() < 600 else None

    poller = world.start(fault=fault)
    with capture_logs() as logs:
        async with world.running(poller):
            for second in range(600):
                world.queue.put(state(f"p{second % 7}", second))
                await asyncio.sleep(1)
            await world.rest()
            await world.until(lambda: poller.queue_state == OK, "recovery", within_s=120)
    assert len([one for one in logs if "queue" in one["event"]]) <= 3
