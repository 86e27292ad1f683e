"""Faults and crashes at every call: no message is lost, and the newest states remain.

A poller makes some thirty calls for these messages. Each is tried as the one that fails, as the
last before a crash, and as both.
"""

import asyncio
import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.calls import CRASHES, FAILURES, Fault
from tests.fakes.virtual_time import virtual_time
from tests.hypothesis_profiles import examples, sample
from tests.unit.poller.world import Process, World, state

pytestmark = pytest.mark.timeout(180)

SPEEDS = [(0.01, 0.005), (0.005, 0.2), (0.2, 0.005)]
"""The latencies of the queue and the broker, in seconds."""

LATEST_CALL = 36
"""Above the number of calls of a run without faults, as the first test checks."""


def fill(world: World) -> None:
    """Put good, old, duplicate, unreadable and exhausted messages, some of them later."""
    world.queue.put(state("a", 3))
    world.queue.put(state("b", 1))
    world.queue.put(state("a", 1))
    world.queue.put("what?")
    world.queue.put(state("b", 1), after_s=0.02)
    world.queue.put(state("c", 1), attempts=5)
    world.queue.put("HUG", after_s=0.04)
    world.queue.put(state("a", 2), after_s=0.3)
    world.queue.put(state("b", 4, seq=2), after_s=0.3)
    world.queue.put(state("b", 4, seq=1), after_s=0.32)


async def finish_after_crash(world: World, process: Process) -> None:
    """Run a poller until it crashes or is done, let another one finish, and check everything."""
    crashed = asyncio.ensure_future(process.calls.crashed.wait())
    done = asyncio.ensure_future(world.rest())
    await asyncio.wait((crashed, done), return_when=asyncio.FIRST_COMPLETED)
    for waiting in (crashed, done):
        waiting.cancel()
    await asyncio.gather(crashed, done, return_exceptions=True)
    if process.calls.crashed.is_set():
        await process.crash()
        async with world.running():
            await world.rest()
    else:
        await process.stop()
    world.check()
    world.check_newest()
    for letter in world.broker.letters:
        assert json.loads(letter)["message"] in world.queue.poisoned_ids
    assert {"m3", "m5"} <= set(world.queue.poisoned_ids), "the unreadable and the exhausted"


@virtual_time
async def run(plan: dict[int, Fault], *, queue_s: float = 0.01, broker_s: float = 0.005) -> Process:
    """Run a poller with these faults, and check everything at the end."""
    world = World(visibility_s=8)
    fill(world)
    process = world.start(plan, queue_latency_s=lambda: queue_s, broker_latency_s=lambda: broker_s)
    await finish_after_crash(world, process)
    return process


def test_a_run_without_faults_makes_fewer_calls_than_are_tried() -> None:
    """It makes every kind of call, except those that only a fault causes."""
    for queue_s, broker_s in SPEEDS:
        made = run({}, queue_s=queue_s, broker_s=broker_s).calls.made
        operations = {"receive", "depth", "poison_depth", "delete", "put_poison"}
        assert operations | {"publish_state", "announce"} == set(made)
        assert 20 < len(made) < LATEST_CALL


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("speeds", SPEEDS)
def test_no_message_is_lost_when_any_one_call_fails(
    fault: Fault, speeds: tuple[float, float]
) -> None:
    """Each call, each fault, with a fast or slow queue and broker."""
    queue_s, broker_s = speeds
    for call in sample(range(1, LATEST_CALL)):
        run({call: fault}, queue_s=queue_s, broker_s=broker_s)


@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("failure", FAILURES)
def test_no_message_is_lost_when_a_crash_follows_a_failure(failure: Fault, crash: Fault) -> None:
    """The poller crashes while it recovers."""
    for call in sample(range(1, LATEST_CALL, 2)):
        for later in (1, 4):
            run({call: failure, call + later: crash})


plans = st.dictionaries(st.integers(1, 80), st.sampled_from(FAILURES), max_size=20)


@settings(max_examples=examples(150))
@given(
    plan=plans,
    crash=st.tuples(st.integers(1, 80), st.sampled_from(CRASHES)) | st.none(),
    seed=st.integers(0, 2**32),
)
@virtual_time
async def test_no_message_is_lost_with_any_faults_in_any_interleaving(
    plan: dict[int, Fault], crash: tuple[int, Fault] | None, seed: int
) -> None:
    """Every request and every confirmation has its own latency."""
    chance = Random(seed)
    world = World(visibility_s=8, max_attempts=20)
    fill(world)
    world.queue.put(state("c", 9), attempts=20)
    process = world.start(
        plan | dict([crash] if crash else []),
        queue_latency_s=lambda: chance.choice((0.001, 0.01, 0.1, 1.0, 4.0)),
        broker_latency_s=lambda: chance.choice((0.001, 0.01, 0.1, 1.0)),
        reconnect_s=chance.choice((0.01, 1.0, 10.0)),
        unnoticed_s=chance.choice((0.0, 0.05)),
        loop_back=chance.choice((False, True)),
    )
    world.queue.messages["m5"].attempts = 20
    await finish_after_crash(world, process)


@settings(max_examples=examples(40))
@given(seed=st.integers(0, 2**32), crashes=st.lists(st.integers(1, 60), min_size=1, max_size=3))
@virtual_time
async def test_no_message_is_lost_when_several_pollers_crash(seed: int, crashes: list[int]) -> None:
    """One survives, and finishes the work of those that crashed."""
    chance = Random(seed)
    world = World(visibility_s=4, max_attempts=50)
    for number in range(40):
        world.queue.put(state(f"p{number % 3}", chance.randrange(20)), after_s=chance.random() * 5)
    world.queue.put("what?")
    survivor = world.start()
    crashing = [
        world.start(
            {call: chance.choice(CRASHES)},
            queue_latency_s=lambda: chance.choice((0.01, 0.1, 0.5)),
            broker_latency_s=lambda: chance.choice((0.001, 0.01, 0.3)),
        )
        for call in crashes
    ]
    async with world.running(survivor):
        for process in crashing:
            ends = asyncio.ensure_future(process.calls.crashed.wait())
            await asyncio.wait((ends,), timeout=20)
            ends.cancel()
            await process.crash()
        await world.rest()
        await asyncio.sleep(5)
    world.check_newest()
    assert "what?" in world.queue.poison
