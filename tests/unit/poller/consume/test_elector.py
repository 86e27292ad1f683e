"""Several pollers of one queue: one receives, the others stand by and take over."""

import asyncio
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from contract.queue_report import QueueReport
from poller.consume.election import FAILING_S
from poller.consume.takeover_report import MARGIN_S
from runtime.health import OK
from tests.fakes.calls import Fault
from tests.fakes.virtual_time import now, pause, virtual_time
from tests.hypothesis_profiles import examples
from tests.unit.poller.world import Process, World, state

pytestmark = pytest.mark.timeout(180)

TAKEOVER_S = 3.0
PILLOWS = 5


def put(world: World, numbers: range) -> None:
    """Put states of a few pillows on the queue, in order."""
    for number in numbers:
        world.queue.put(state(f"p{number % PILLOWS}", 1 + number / 1000, seq=number))


async def started(world: World, pollers: int) -> list[Process]:
    """Start pollers one after the other; the first one is active."""
    processes = []
    for _ in range(pollers):
        processes.append(world.start(takeover_s=TAKEOVER_S))
        await asyncio.sleep(1)
    return processes


def superseded(world: World) -> int:
    """Return how many states all pollers superseded."""
    return sum(one.count("superseded") for one in world.processes)


def published(world: World) -> int:
    """Return how many states all pollers published."""
    return sum(one.count("published") for one in world.processes)


@virtual_time
async def test_one_of_several_pollers_receives_every_state_in_order() -> None:
    """The others are ready, and say who receives."""
    world = World()
    with capture_logs() as logs:
        first, *others = await started(world, 3)
        put(world, range(1000))
        await world.until(lambda: not world.queue.messages, "an empty queue")
    assert first.count("published") == 1000
    assert superseded(world) == 0
    assert first.queue_state == OK
    for one in others:
        assert one.queue_state == "ok; standby: poller-0 receives"
        assert one.calls.made.count("receive") == one.count("received") == 0
        assert one.metrics.registry.get_sample_value("pillowcast_poller_queue_up") == 1
    assert [
        one.metrics.registry.get_sample_value("pillowcast_poller_active") for one in world.processes
    ] == [1, 0, 0]
    assert others[0].broker.queue_reports == [QueueReport(0)]
    standby = [one for one in logs if one["event"].startswith("standby")]
    assert [one["active"] for one in standby] == ["poller-0", "poller-0"]
    await world.stop()


@virtual_time
async def test_a_poller_that_stops_hands_over_at_once_and_in_order() -> None:
    """None of its states is superseded."""
    world = World()
    first, second = await started(world, 2)
    put(world, range(1500))
    await world.until(lambda: first.count("published") > 300, "some states")
    first.stopping.set()
    await first.running
    stopped_s = now()
    await world.until(lambda: second.count("received") > 0, "the other one", within_s=1)
    assert now() - stopped_s < 0.5
    await world.until(lambda: not world.queue.messages, "an empty queue")
    assert (published(world), superseded(world)) == (1500, 0)
    assert second.count("takeovers", reason="released") == 1
    await second.stop()
    first.broker.close()
    world.check()


@settings(max_examples=examples(2))
@given(seed=st.integers(0, 2**32))
@virtual_time
async def test_a_killed_poller_is_replaced_and_nothing_is_lost(seed: int) -> None:
    """What it had in flight comes back with the leases, is superseded, and counted."""
    world, random = World(visibility_s=5), Random(seed)
    first, second = await started(world, 2)
    put(world, range(1000))
    passed = random.randrange(100, 600)
    await world.until(lambda: first.count("published") > passed, "some states")
    with capture_logs() as logs:
        await first.crash()
        died_s = now()
        await world.until(lambda: second.count("received") > 0, "the other one", within_s=10)
        assert now() - died_s < 1.5 * TAKEOVER_S
        await world.rest()
        await asyncio.sleep(5 + MARGIN_S)
    (line,) = [one for one in logs if one["event"].startswith("took over")]
    assert (line["reason"], line["before"], line["log_level"]) == ("silent", "poller-0", "warning")
    (end,) = [one for one in logs if one["event"].startswith("states superseded")]
    assert end["number"] == second.count("takeover_superseded") == second.count("superseded") <= 512
    world.check_newest()
    await second.stop()
    world.check()


@virtual_time
async def test_a_poller_that_stood_still_is_replaced_and_stands_by() -> None:
    """Its process goes on after a minute, beside the other one."""
    world = World()
    first, second = await started(world, 2)
    put(world, range(100))
    await world.until(lambda: not world.queue.messages, "an empty queue")
    first.broker.reconnect_s = None
    first.broker.lose()  # the broker has closed its connection meanwhile
    await asyncio.sleep(60)
    put(world, range(100, 200))
    await world.until(lambda: not world.queue.messages, "an empty queue")
    first.broker.connect()
    await asyncio.sleep(10)
    assert first.queue_state == "ok; standby: poller-1 receives"
    assert second.count("published") == 100
    await world.stop()


@virtual_time
async def test_a_pause_of_every_process_changes_nothing() -> None:
    """As on a machine that slept."""
    world = World()
    first, second = await started(world, 2)
    for _ in range(5):
        await asyncio.sleep(10)
        pause(30)
    assert (first.count("takeovers"), second.count("takeovers")) == (0, 0)
    await world.stop()


@virtual_time
async def test_a_poller_whose_queue_denies_everything_is_replaced() -> None:
    """Then it stands by; while nobody can receive, nobody takes over."""
    world = World()
    broken: set[str] = set()

    def fault(name: str, operation: str) -> Fault | None:
        return Fault.DENIED if name in broken and operation in ("receive", "depth") else None

    first = world.start(takeover_s=TAKEOVER_S, fault=lambda operation: fault("one", operation))
    await asyncio.sleep(1)
    second = world.start(takeover_s=TAKEOVER_S, fault=lambda operation: fault("two", operation))
    await asyncio.sleep(10)
    broken |= {"one", "two"}
    await asyncio.sleep(120)
    assert second.count("takeovers") == 0
    assert first.queue_state.startswith("receive: ")
    broken -= {"two"}
    await asyncio.sleep(FAILING_S + 60)
    assert second.count("takeovers", reason="failing") == 1
    put(world, range(10))
    await world.until(lambda: not world.queue.messages, "an empty queue")
    assert second.count("published") == 10
    assert first.queue_state == "ok; standby: poller-1 receives"
    await world.stop()


@virtual_time
async def test_where_the_broker_refuses_the_messages_each_poller_receives() -> None:
    """As without coordination; the log says it once, and readiness."""
    world = World()
    world.broker.refuses_roles = True
    with capture_logs() as logs:
        processes = await started(world, 2)
        put(world, range(500))
        await world.until(lambda: not world.queue.messages, "an empty queue")
        world.broker.disconnect_all()
        await asyncio.sleep(10)
    for one in processes:
        assert one.queue_state.startswith("ok; pollers do not coordinate: ")
        assert "receive" in one.calls.made
    refused = [one for one in logs if one["event"].startswith("the broker refuses what pollers")]
    assert len(refused) == 2
    world.broker.refuses_roles = False
    world.broker.disconnect_all()
    await asyncio.sleep(10)
    states = sorted(one.queue_state.partition(":")[0] for one in processes)
    assert states == ["ok", "ok; standby"]
    await world.stop()


@virtual_time
async def test_another_poller_that_does_not_stand_by_is_said_once() -> None:
    """It has other settings, for example; not after a take-over, where the other one has ended."""
    world = World()
    with capture_logs() as logs:
        active, other = world.start(takeover_s=TAKEOVER_S), world.start()
        for number in range(180):
            put(world, range(10 * number, 10 * (number + 1)))
            await asyncio.sleep(0.1)
        await world.rest()
    assert active.count("received") > 0
    assert other.count("received") > 0
    beside = [one for one in logs if one["event"].startswith("another poller publishes states")]
    assert [one["log_level"] for one in beside] == ["warning"]
    await world.stop()


@virtual_time
async def test_a_broker_that_restarts_leaves_the_roles_as_they_are() -> None:
    """It has forgotten them; nothing is received meanwhile."""
    world = World()
    first, second = await started(world, 2)
    world.broker.role = None
    world.broker.disconnect_all()
    put(world, range(100))
    await world.rest()
    assert (first.count("published"), second.count("received")) == (100, 0)
    await world.stop()


@virtual_time
async def test_what_is_no_message_of_a_poller_is_ignored() -> None:
    """Any client may publish on the topic."""
    world = World()
    world.broker.role = b"online"
    (poller,) = await started(world, 1)
    for payload in (b"", b"{}", b"\xff", b'{"poller":"x"}'):
        poller.broker._receive_role(payload)
    put(world, range(10))
    await world.rest()
    assert poller.count("published") == 10
    await poller.stop()


@virtual_time
async def test_a_poller_of_mqtt_3_1_1_knows_its_own_messages() -> None:
    """They come back to it."""
    world = World()
    poller = world.start(takeover_s=TAKEOVER_S, loop_back=True)
    put(world, range(100))
    await world.rest()
    assert poller.count("published") == 100
    await poller.stop()
