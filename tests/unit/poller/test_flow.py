"""How much the worker has under way, what it asks for, and what it leaves out."""

import asyncio
import json
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from poller.consume.consumer import MAX_FETCH_LOOPS
from poller.consume.page_fetcher import PAGE_SIZE
from poller.in_flight import MAX_BLOCKED, MAX_IN_FLIGHT
from poller.settle.settlement import MAX_DELETIONS
from tests.fakes.calls import Fault
from tests.fakes.queue import THROTTLED_S
from tests.fakes.virtual_time import now, virtual_time
from tests.hypothesis_profiles import examples
from tests.unit.poller.world import World, order, state

pytestmark = pytest.mark.timeout(180)


# Receiving


@virtual_time
async def test_a_full_queue_is_emptied_at_what_the_queue_can_do() -> None:
    """With 10 ms for every answer, 2,000 a second take several requests of each kind at once."""
    world = World()
    for number in range(4000):
        world.queue.put(state(f"p{number}", 1))
    poller = world.start(queue_latency_s=lambda: 0.01, broker_latency_s=lambda: 0.0005)
    async with world.running(poller):
        begun = now()
        await world.until(lambda: not world.queue.messages, "an empty queue", step_s=0.01)
        assert 4000 / (now() - begun) > 2000
    assert 1 < poller.calls.most_concurrent["receive"] <= MAX_FETCH_LOOPS
    assert poller.calls.most_concurrent["delete"] <= MAX_DELETIONS
    assert poller.count("received") == poller.count("published") == 4000


@virtual_time
async def test_a_queue_that_has_little_is_asked_by_one_loop() -> None:
    """More than one costs requests, and brings nothing, while pages are not full."""
    world = World()
    async with world.running() as poller:
        for number in range(100):
            for other in range(PAGE_SIZE - 1):
                world.queue.put(state(f"p{other}", number))
            await world.until(lambda: not world.queue.messages, "an empty queue")
    assert poller.calls.most_concurrent["receive"] == 1


@virtual_time
async def test_the_other_loops_end_with_the_last_full_page() -> None:
    """When a flood is over the idle queue is asked as seldom as before it."""
    world = World()
    for number in range(1000):
        world.queue.put(state(f"p{number}", 1))
    async with world.running() as poller:
        await world.rest()
        await asyncio.sleep(60)
        asked = poller.queue.receive_times
        late = [one for one in asked if one > now() - 40]
        assert all(after - before > 1.5 for before, after in pairwise(late))


@settings(max_examples=examples(60))
@given(seed=st.integers(0, 2**32))
@virtual_time
async def test_the_window_holds_with_several_loops(seed: int) -> None:
    """Whatever takes how long, no more is leased than can be published."""
    chance = Random(seed)
    world = World(visibility_s=60)
    for number in range(MAX_IN_FLIGHT * 2):
        world.queue.put(state(f"p{chance.randrange(400)}", number))
    poller = world.start(
        queue_latency_s=lambda: chance.choice((0.001, 0.01, 0.1)),
        broker_latency_s=lambda: chance.choice((0.001, 0.1, 1.0)),
    )
    async with world.running(poller):
        while world.queue.messages:
            assert poller.in_flight <= MAX_IN_FLIGHT
            await asyncio.sleep(0.005)


@virtual_time
async def test_a_helping_loop_that_fails_leaves_it_to_the_first() -> None:
    """One outage is one trouble, and afterwards all goes on."""
    world = World()
    for number in range(2000):
        world.queue.put(state(f"p{number}", 1))
    broken = False
    poller = world.start(
        fault=lambda act: Fault.LOST_ANSWER if broken and act == "receive" else None
    )
    async with world.running(poller):
        await world.until(lambda: poller.calls.most_concurrent["receive"] > 1, "several loops")
        broken = True
        await world.until(lambda: poller.count("queue_failures", act="receive") > 3, "failures")
        broken = False
        await world.rest()
    world.check_newest()


# Throttling


@pytest.mark.parametrize("act", ["receive", "delete", "put_poison"])
@virtual_time
async def test_a_queue_that_wants_to_be_left_alone_is(act: str) -> None:
    """For as long as it says (503 with Retry-After), whatever is in hand."""
    world = World(visibility_s=60)
    throttled: list[float] = []

    def fault(done: str) -> Fault | None:
        if done == act and len(throttled) < 3 and world.queue.messages:
            throttled.append(now())
            return Fault.THROTTLED
        return None

    poller = world.start(fault=fault)
    for number in range(200):
        world.queue.put("what?" if act == "put_poison" else state(f"p{number}", 1))
    async with world.running(poller):
        await world.rest()
    assert len(throttled) == 3
    # What was under way when it was said is one lot; the next comes after the wait.
    lots = [after for before, after in pairwise(throttled) if after - before > 0.1]
    assert all(after - throttled[0] >= THROTTLED_S for after in lots)
    assert now() >= THROTTLED_S


# Bursts of one pillow


@virtual_time
async def test_every_state_is_published_unless_told_otherwise() -> None:
    """Who counts hugs wants each of them."""
    world = World()
    for number in range(20):
        world.queue.put(state("a", number))
    async with world.running() as poller:
        await world.rest()
    assert poller.count("published") == 20
    assert [one.order for one in world.broker.accepted] == [order(n) for n in range(20)]


@virtual_time
async def test_of_a_burst_only_the_newest_is_published_when_told_so() -> None:
    """The others count as superseded, and none is deleted before the newest is confirmed."""
    world = World()
    for number in (3, 1, 19, *range(4, 19), 0, 2):
        world.queue.put(state("a", number))
    world.queue.put(state("b", 1))
    quiet = True
    world.broker.never_confirms = lambda update: quiet and update.pillow == "a"
    poller = world.start(newest_only=True)
    async with world.running(poller):
        await world.until(lambda: poller.count("published") == 1, "the other pillow")
        await asyncio.sleep(3)
        assert len(world.queue.messages) == 20, "nothing deleted unconfirmed"
        quiet = False
        world.broker.disconnect_all()
        await world.rest()
    assert {one.order for one in world.broker.accepted if one.pillow == "a"} == {order(19)}
    # The newest itself is found on the broker when the connection is back.
    assert (poller.count("published"), poller.count("superseded")) == (1, 20)
    world.check_newest()


@settings(max_examples=examples(60))
@given(
    seed=st.integers(0, 2**32),
    plan=st.dictionaries(
        st.integers(1, 80),
        st.sampled_from([f for f in Fault if "CRASH" not in f.name]),
        max_size=12,
    ),
)
@virtual_time
async def test_a_burst_ends_with_the_newest_whatever_goes_wrong(
    seed: int, plan: dict[int, Fault]
) -> None:
    """And nothing of it is lost on the way."""
    chance = Random(seed)
    world = World(visibility_s=8, max_attempts=50)
    for number in range(60):
        world.queue.put(
            state(f"p{number % 3}", chance.randrange(30)), after_s=chance.choice((0, 0, 1, 5))
        )
    poller = world.start(
        plan,
        newest_only=True,
        queue_latency_s=lambda: chance.choice((0.01, 0.1, 1.0)),
        broker_latency_s=lambda: chance.choice((0.001, 0.1, 1.0)),
    )
    async with world.running(poller):
        await world.rest()
    world.check_newest()


# Messages that ended and come again


@pytest.mark.parametrize("text", [state("a", 1), "what?"])
@virtual_time
async def test_a_message_whose_deletion_failed_is_deleted_when_it_comes_again(text: str) -> None:
    """It is neither published nor buried a second time."""
    world = World(visibility_s=8)
    broken = True

    def fault(act: str) -> Fault | None:
        # The lease ends only where it is neither renewed nor begun again by a receive.
        fails = act in ("delete", "renew") or (act == "receive" and poller.in_flight)
        return Fault.LOST_REQUEST if broken and fails else None

    poller = world.start(fault=fault)
    world.queue.put(text)
    async with world.running(poller):
        await world.until(lambda: poller.count("deleted", outcome="failed") == 1, "giving up")
        # A newer state, so that it is not for being a repeat that the old one is left out.
        world.queue.put(state("a", 2))
        broken = False
        await world.rest()
    ours = [one for one in world.broker.accepted if one.order == order(1)]
    assert len(ours) + len(world.queue.poison) == 1
    assert poller.count("retried") >= 1
    assert poller.count("deleted", outcome="deleted") == 2


@virtual_time
async def test_a_message_is_not_taken_for_one_that_ended_when_it_only_was_given_back() -> None:
    """What was given back has not ended: it is published when it comes again."""
    world = World(visibility_s=8, max_attempts=50)
    world.broker.disconnects_on = lambda _update: now() < 5
    world.queue.put(state("a", 1))
    async with world.running() as poller:
        await world.rest()
    assert poller.count("published") == 1
    assert poller.count("retried") >= 1
    world.check_newest()


# What is measured


@virtual_time
async def test_the_queue_s_depth_is_asked_for_twice_a_minute() -> None:
    """Each question is billed; the first comes once there is a queue."""
    world = World()
    async with world.running() as poller:
        await asyncio.sleep(2)
        for _ in range(7):
            world.queue.put(state("a", 1), after_s=1000)
        await asyncio.sleep(598)
        assert 19 <= poller.calls.made.count("depth") <= 21
        gauge = poller.metrics.registry.get_sample_value("pillowcast_poller_queue_depth")
        assert gauge == 7
        world.queue.messages.clear()


@virtual_time
async def test_a_depth_that_may_not_be_read_is_no_trouble() -> None:
    """A SAS without the right to read is enough for all that matters."""
    world = World()
    world.queue.put(state("a", 1))
    allowed = False
    poller = world.start(fault=lambda act: Fault.DENIED if act == "depth" and not allowed else None)
    with capture_logs() as logs:
        async with world.running(poller):
            await world.rest()
            await asyncio.sleep(100)
            assert poller.queue_state == "ok"
            allowed = True
            world.queue.put(state("b", 1), after_s=1000)
            await asyncio.sleep(40)
            gauge = poller.metrics.registry.get_sample_value("pillowcast_poller_queue_depth")
            assert gauge == 1
            world.queue.messages.clear()
    assert [one["event"] for one in logs].count("the queue's depth is not measured") == 1


@virtual_time
async def test_the_age_of_the_oldest_message_is_that_of_the_last_page() -> None:
    """And nothing is old in an empty queue."""
    world = World()
    broken = True
    poller = world.start(
        fault=lambda act: Fault.LOST_REQUEST if broken and act == "receive" else None
    )
    world.queue.put(state("a", 1))
    value = poller.metrics.registry.get_sample_value
    async with world.running(poller):
        await asyncio.sleep(100)
        broken = False
        await world.until(
            lambda: (value("pillowcast_poller_oldest_message_seconds") or 0) > 99, "its age"
        )
        await world.rest()
        await asyncio.sleep(3)
        assert value("pillowcast_poller_oldest_message_seconds") == 0
        assert value("pillowcast_poller_attempts_count") == 1


@virtual_time
async def test_a_release_that_fails_is_said() -> None:
    """The message comes again all the same, when its lease ends."""
    world = World(visibility_s=8, max_attempts=50)
    world.broker.disconnects_on = lambda _update: now() < 5
    world.queue.put(state("a", 1))
    poller = world.start(fault=lambda act: Fault.LOST_REQUEST if act == "release" else None)
    async with world.running(poller):
        await world.rest()
        assert poller.count("queue_failures", act="release") >= 1
        assert poller.queue_state == "ok"
    said = json.loads(world.broker.retained["a"].payload)
    assert said["state"] == "hugging"


# Messages that cannot end


@pytest.mark.parametrize("way", ["refused", "unburiable"])
@virtual_time
async def test_messages_that_cannot_end_stop_no_others(way: str) -> None:
    """A broker that refuses one pillow, a poison queue that is denied: the rest goes on.

    And when it is put right, they end as they should.
    """
    world = World(max_attempts=5)
    broken = True
    world.broker.refuses = lambda update: broken and update.pillow == "bad"
    poller = world.start(fault=lambda act: Fault.DENIED if broken and act == "put_poison" else None)
    for number in range(MAX_IN_FLIGHT + 50):
        world.queue.put(state("bad", number) if way == "refused" else f"what? {number}")
    for number in range(100):
        world.queue.put(state("good", number))
    async with world.running(poller):
        # Several loops receive, so a few of the good may come out of turn.
        await world.until(
            lambda: poller.count("published") + poller.count("superseded") == 100,
            "the good",
            within_s=60,
        )
        await asyncio.sleep(300)
        assert poller.in_flight == MAX_BLOCKED
        broken = False
        await world.rest(within_s=2000)
    if way == "refused":
        assert poller.count("published") + poller.count("superseded") == MAX_IN_FLIGHT + 150
        assert world.queue.poison == []
    else:
        assert len(world.queue.poison) == MAX_IN_FLIGHT + 50
    world.check_newest()


@virtual_time
async def test_a_message_that_was_published_is_never_a_dead_letter_for_its_attempts() -> None:
    """Its deletion failed for so long that it came too often; the broker still knows its state."""
    world = World(visibility_s=8)
    doomed = world.start(
        fault=lambda act: Fault.LOST_REQUEST if act in ("delete", "renew") else None
    )
    world.queue.put(state("a", 1))
    async with world.running(doomed):
        await world.until(lambda: world.queue.messages["m0"].attempts > 6, "attempts")
        await doomed.crash()
    async with world.running() as heir:
        await world.rest()
    assert world.queue.poison == []
    assert heir.count("superseded") == 1


@virtual_time
async def test_a_deletion_that_waits_holds_up_no_renewal() -> None:
    """The queue throttles deletions for a minute: every lease is kept meanwhile."""
    world = World(visibility_s=8)
    world.broker.never_confirms = lambda update: now() < 60 and update.pillow != "p0"
    poller = world.start(
        fault=lambda act: Fault.THROTTLED if act == "delete" and now() < 60 else None,
        reconnect_s=0.1,
    )
    for number in range(50):
        world.queue.put(state(f"p{number}", 1))
    async with world.running(poller):
        await world.until(lambda: now() > 60, "time")
        assert all(one.attempts == 1 for one in world.queue.messages.values())
        world.broker.disconnect_all()
        await world.rest()
    assert poller.count("retried") == 0


@virtual_time
async def test_a_heal_that_was_refused_is_tried_until_it_is_taken() -> None:
    """Else the broker would keep an older state for ever."""
    world = World()
    refusing = False
    world.broker.refuses = lambda _update: refusing
    world.queue.put(state("a", 5))
    async with world.running() as poller:
        await world.rest()
        refusing = True
        old = replace(world.broker.retained["a"], order=order(1))
        world.broker.retained["a"] = old
        poller.listener.on_state(old)
        await asyncio.sleep(60)
        refusing = False
        await world.until(lambda: poller.count("healed") == 1, "healing")
    assert world.broker.retained["a"].order == order(5)


@virtual_time
async def test_a_state_from_the_future_supersedes_nothing() -> None:
    """Somebody wrote it to MQTT; the pillow's messages are published all the same."""
    world = World()
    world.queue.put(state("a", 1))
    async with world.running() as poller:
        await world.rest()
        known = world.broker.retained["a"]
        poller.listener.on_state(replace(known, order=order(100 * 365 * 86_400)))
        world.queue.put(state("a", 2))
        await world.rest()
    assert poller.count("published") == 2
    assert poller.count("ahead") == 1
    assert poller.count("superseded") == 0
