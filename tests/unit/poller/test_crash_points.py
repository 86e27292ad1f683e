"""Whatever goes wrong, at whichever call: no message is lost, and the newest states remain.

A poller makes some thirty calls to carry these messages; each is tried as the one that fails, as
the last it makes, and both together.
"""

import asyncio
import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.calls import CRASHES, FAILURES, Fault
from tests.fakes.virtual_time import virtual_time
from tests.hypothesis_profiles import examples
from tests.unit.poller.world import Process, World, state

pytestmark = pytest.mark.timeout(180)

SPEEDS = [(0.01, 0.005), (0.005, 0.2), (0.2, 0.005)]
"""Seconds that the queue and the broker take for anything."""

LATEST_CALL = 36
"""Beyond the last call of an undisturbed run: checked below."""


def fill(world: World) -> None:
    """Good, old, repeated, unreadable and exhausted messages, some of them later than others."""
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


async def crash_and_go_on(world: World, process: Process) -> None:
    """Let a poller run until it crashes or all is done; then let another finish the work."""
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
    """One story with these faults; everything is checked at its end."""
    world = World(visibility_s=8)
    fill(world)
    process = world.start(plan, queue_latency_s=lambda: queue_s, broker_latency_s=lambda: broker_s)
    await crash_and_go_on(world, process)
    return process


def test_the_calls_tried_below_are_all_there_are() -> None:
    """An undisturbed run makes fewer, and each kind but those that a fault brings about."""
    for queue_s, broker_s in SPEEDS:
        made = run({}, queue_s=queue_s, broker_s=broker_s).calls.made
        acts = {"receive", "depth", "delete", "put_poison", "publish_state", "announce"}
        assert acts == set(made)
        assert 20 < len(made) < LATEST_CALL


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("speeds", SPEEDS)
def test_any_one_call_may_go_wrong(fault: Fault, speeds: tuple[float, float]) -> None:
    """Each call in turn, each fault, with a queue and a broker that are quick or slow."""
    queue_s, broker_s = speeds
    for call in range(1, LATEST_CALL):
        run({call: fault}, queue_s=queue_s, broker_s=broker_s)


@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("failure", FAILURES)
def test_a_crash_may_follow_soon_after_a_failure(failure: Fault, crash: Fault) -> None:
    """While a poller recovers from one thing it dies of another."""
    for call in range(1, LATEST_CALL, 2):
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
async def test_any_faults_in_any_interleaving_end_well(
    plan: dict[int, Fault], crash: tuple[int, Fault] | None, seed: int
) -> None:
    """Every request and every confirmation takes its own time, short or long."""
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
    await crash_and_go_on(world, process)


@settings(max_examples=examples(40))
@given(seed=st.integers(0, 2**32), crashes=st.lists(st.integers(1, 60), min_size=1, max_size=3))
@virtual_time
async def test_several_pollers_may_crash_one_after_another(seed: int, crashes: list[int]) -> None:
    """Three on one queue, at their own speeds, of which some die: one that lives ends it well."""
    chance = Random(seed)
    world = World(visibility_s=4, max_attempts=50)
    for number in range(40):
        world.queue.put(state(f"p{number % 3}", chance.randrange(20)), after_s=chance.random() * 5)
    world.queue.put("what?")
    survivor = world.start()
    doomed = [
        world.start(
            {call: chance.choice(CRASHES)},
            queue_latency_s=lambda: chance.choice((0.01, 0.1, 0.5)),
            broker_latency_s=lambda: chance.choice((0.001, 0.01, 0.3)),
        )
        for call in crashes
    ]
    async with world.running(survivor):
        for process in doomed:
            ends = asyncio.ensure_future(process.calls.crashed.wait())
            await asyncio.wait((ends,), timeout=20)
            ends.cancel()
            await process.crash()
        await world.rest()
        await asyncio.sleep(5)
    world.check_newest()
    assert "what?" in world.queue.poison
