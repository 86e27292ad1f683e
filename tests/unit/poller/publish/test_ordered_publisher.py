"""The publisher: order within a pillow, concurrency between pillows, and a failing broker."""

import asyncio
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from poller.in_flight import InFlight, InFlightMessage, Outcome
from poller.publish.key_queue import MAX_SENDS
from poller.settle.deletion import MAX_DELETIONS
from runtime.health import OK
from tests.fakes.calls import Fault
from tests.fakes.virtual_time import virtual_time
from tests.hypothesis_profiles import examples
from tests.unit.poller.world import World, order, state

pytestmark = pytest.mark.timeout(180)


@virtual_time
async def test_publishes_of_different_pillows_are_in_flight_at_once() -> None:
    """A slow broker costs one round trip for a page, not one for each pillow."""
    world = World()
    for number in range(100):
        world.queue.put(state(f"p{number}", 1))
    poller = world.start(broker_latency_s=lambda: 0.5, queue_latency_s=lambda: 0.1)
    async with world.running(poller):
        await world.rest(within_s=3)
        assert poller.broker.most_in_flight >= 96
        assert poller.calls.most_concurrent["delete"] == MAX_DELETIONS


@virtual_time
async def test_states_of_one_pillow_are_published_oldest_first() -> None:
    """In whatever order the queue delivers them."""
    world = World()
    for at_s in (5, 3, 4, 1, 2):
        world.queue.put(state("a", at_s))
    async with world.running() as poller:
        await world.rest()
    assert [update.order for update in world.broker.accepted] == [
        order(at_s) for at_s in (1, 2, 3, 4, 5)
    ]
    assert poller.count("published") == 5


@virtual_time
async def test_a_state_older_than_the_last_write_is_superseded() -> None:
    """It is deleted, counted and not published; the same state delivered again is, too."""
    world = World()
    world.queue.put(state("a", 9))
    world.queue.put(state("a", 5), after_s=3)
    world.queue.put(state("a", 9), after_s=3)
    async with world.running() as poller:
        await world.rest()
    world.check_newest()
    assert [update.order for update in world.broker.accepted] == [order(9)]
    assert poller.count("superseded") == 2


@virtual_time
async def test_a_publish_in_flight_supersedes_nothing() -> None:
    """While the newest state is not confirmed, the older one waits."""
    world = World()
    world.broker.never_confirms = lambda update: update.order == order(9)
    world.queue.put(state("a", 9))
    world.queue.put(state("a", 5), after_s=3)
    async with world.running() as poller:
        await asyncio.sleep(100)
        assert poller.count("superseded") == 0
        assert len(world.queue.messages) == 2
        world.confirm_again()
        await world.rest()
    world.check_newest()


@virtual_time
async def test_an_unconfirmed_pillow_does_not_delay_the_others() -> None:
    """Their messages are completed while its first one waits for the broker."""
    world = World()
    world.broker.never_confirms = lambda update: update.pillow == "slow"
    for number in range(50):
        world.queue.put(state("slow", number))
        world.queue.put(state(f"p{number % 7}", number))
    async with world.running() as poller:
        await world.until(lambda: poller.count("deleted") == 50, "the others", within_s=5)
        assert poller.in_flight == 50
        world.confirm_again()
        await world.rest()
    world.check_newest()


@virtual_time
async def test_every_state_is_published_by_default() -> None:
    """A program that counts hugs needs each of them."""
    world = World()
    for number in range(20):
        world.queue.put(state("a", number))
    async with world.running() as poller:
        await world.rest()
    assert poller.count("published") == 20
    assert [one.order for one in world.broker.accepted] == [order(n) for n in range(20)]


@virtual_time
async def test_newest_only_publishes_the_newest_waiting_state() -> None:
    """The others are superseded, and none is deleted before the newest is confirmed."""
    world = World()
    for number in (3, 1, 19, *range(4, 19), 0, 2):
        world.queue.put(state("a", number))
    world.queue.put(state("b", 1))
    unconfirmed = True
    world.broker.never_confirms = lambda update: unconfirmed and update.pillow == "a"
    poller = world.start(newest_only=True)
    async with world.running(poller):
        await world.until(lambda: poller.count("published") == 1, "the other pillow")
        await asyncio.sleep(3)
        assert len(world.queue.messages) == 20, "a message was deleted before its confirmation"
        unconfirmed = False
        world.broker.disconnect_all()
        await world.rest()
    assert {one.order for one in world.broker.accepted if one.pillow == "a"} == {order(19)}
    # After the reconnect the broker has the newest state itself, which supersedes its message.
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
async def test_newest_only_ends_with_the_newest_whatever_fails(
    seed: int, plan: dict[int, Fault]
) -> None:
    """No message is lost on the way."""
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


# The broker fails


@virtual_time
async def test_publishes_lost_with_the_connection_are_sent_again_in_order() -> None:
    """Leases are kept, and no attempt is spent."""
    world = World()
    for number in range(60):
        world.queue.put(state(f"p{number % 5}", number))
    poller = world.start(broker_latency_s=lambda: 0.5, reconnect_s=90)
    async with world.running(poller):
        await world.until(lambda: poller.broker.most_in_flight > 30, "publishes in flight")
        world.broker.disconnect_all()
        await asyncio.sleep(80)
        assert len(world.queue.messages) == 60
        assert {one.attempts for one in world.queue.messages.values()} <= {0, 1}
        await world.rest()
    world.check_newest()
    assert poller.count("retried") == 0


@virtual_time
async def test_a_session_that_reports_ready_after_its_loss_causes_no_tight_loop() -> None:
    """Sends fail at once between the end of a connection and its handling."""
    world = World()
    poller = world.start(unnoticed_s=2.0)
    async with world.running(poller):
        await asyncio.sleep(1)
        world.queue.put(state("a", 1))
        world.broker.disconnect_all()
        await world.rest()
    assert poller.calls.made.count("publish_state") < 50
    assert poller.count("published") == 1
    assert poller.count("retried") == 0, "a publish that was never sent counted as lost"


@virtual_time
async def test_a_refused_publish_is_retried_until_the_broker_accepts_it() -> None:
    """It is logged once, and readiness names the ACL."""
    world = World()
    world.queue.put(state("a", 1))
    world.queue.put(state("a", 2))
    world.broker.refuses = lambda _update: True
    with capture_logs() as logs:
        async with world.running() as poller:
            await asyncio.sleep(100)
            assert len(world.queue.messages) == 2
            assert world.broker.accepted == []
            assert "ACL" in poller.broker_state
            assert 20 <= poller.calls.made.count("publish_state") <= 2 * 100 / 5 + 2
            world.broker.refuses = lambda _update: False
            await world.rest()
            assert poller.broker_state == OK
    assert [update.order for update in world.broker.accepted] == [order(1), order(2)]
    assert [one["event"] for one in logs if "refuses" in one["event"]] == [
        "the broker refuses our states; retrying until it accepts them"
    ]


@virtual_time
async def test_a_state_that_is_too_large_for_the_broker_is_a_dead_letter_at_once() -> None:
    """Every message ends; the other states of its pillow are published, and readiness stays."""
    world = World()
    world.queue.put(state("a", 1))
    world.queue.put(state("a", 2))
    world.broker.finds_too_large = lambda update: update.order == order(1)
    async with world.running() as poller:
        await world.rest()
        assert poller.broker_state == OK
    assert [update.order for update in world.broker.accepted] == [order(2)]
    assert len(world.queue.poison) == 1
    assert [msgspec.json.decode(letter)["reason"] for letter in world.broker.letters] == [
        "too-large"
    ]


@virtual_time
async def test_a_message_is_abandoned_after_max_sends_lost_connections() -> None:
    """Each delivery is an attempt, so a message that ends connections becomes a dead letter."""
    world = World(max_attempts=3)
    world.queue.put(state("bad", 1))
    world.broker.disconnects_on = lambda update: update.pillow == "bad"
    async with world.running() as poller:
        await world.until(lambda: poller.count("retried") == 1, "an abandoned message")
        assert poller.calls.made.count("publish_state") == MAX_SENDS
        assert poller.calls.made.count("release") == 1
        await world.rest()
    assert world.queue.poisoned_ids == ["m0"]
    assert poller.count("dead_lettered", reason="too-many-attempts") == 1
    assert poller.count("retried") == 3


@virtual_time
async def test_a_message_that_ends_connections_dead_letters_no_other() -> None:
    """Those that were in flight beside it are published."""
    world = World(max_attempts=3)
    world.broker.disconnects_on = lambda update: update.pillow == "bad"
    for number in range(40):
        world.queue.put(state("bad" if number == 0 else f"p{number}", 1))
    async with world.running():
        await world.rest()
    assert world.queue.poisoned_ids == ["m0"]
    world.check_newest()


@virtual_time
async def test_an_outage_dead_letters_at_most_one_message_for_max_sends_losses() -> None:
    """The last send of a message is made alone, so only that message pays for the loss."""
    world = World(max_attempts=2)
    for number in range(40):
        world.queue.put(state(f"p{number}", 1))
    is_failing = True
    world.broker.disconnects_on = lambda _update: is_failing
    async with world.running() as poller:
        await world.until(lambda: poller.broker.losses == 20, "losses")
        is_failing = False
        await world.rest()
    assert len(world.queue.poison) <= 20 / MAX_SENDS
    world.check_newest()


@virtual_time
async def test_an_invariant_that_breaks_at_a_confirmation_ends_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Raised in a callback it would only be logged, and the pillow's states would wait for ever."""

    def break_down(_window: InFlight, _message: InFlightMessage, _outcome: Outcome) -> None:
        raise AssertionError("an invariant")

    monkeypatch.setattr(InFlight, "settle", break_down)
    world = World()
    world.queue.put(state("a", 1))
    poller = world.start()
    await world.until(lambda: bool(world.broker.accepted), "a publish")
    await asyncio.wait((poller.running,), timeout=1)

    assert poller.running.done()
    with pytest.RaisesGroup(pytest.RaisesExc(AssertionError, match="an invariant")):
        await poller.running
