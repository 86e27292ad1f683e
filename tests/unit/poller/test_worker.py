"""The worker, between a queue and a broker that do whatever queues and brokers do."""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from poller.in_flight import MAX_IN_FLIGHT
from poller.publish.key_queue import MAX_SENDS
from poller.settle.settlement import MAX_DELETIONS
from runtime.health import OK
from tests.fakes.calls import FAILURES, Fault
from tests.fakes.queue import DENIED
from tests.fakes.virtual_time import now, virtual_time
from tests.unit.poller.world import World, order, state

SAID = {
    "receive": "receive",
    "delete": "delete",
    "put_poison": "keep a dead letter",
    "renew": "renew",
}
"""What readiness calls each act on the queue."""


@virtual_time
async def test_a_message_is_published_retained_and_deleted() -> None:
    """The main job, and its books."""
    world = World()
    world.queue.put(state("cloud-1", 1))
    world.queue.put("HUG")
    async with world.running() as poller:
        await world.rest()
        assert poller.queue_state == OK
        assert poller.broker_state == OK
    world.check_newest()
    assert poller.count("received") == poller.count("published") == 2
    assert poller.count("deleted", outcome="deleted") == 2
    said = json.loads(world.broker.retained["cloud-1"].payload)
    assert said["state"] == "hugging"
    assert said["hops"].keys() == {"queued", "polled", "published"}
    assert world.broker.retained["cloud"].state == "hugging"


@virtual_time
async def test_a_message_is_deleted_only_after_the_broker_confirmed_it() -> None:
    """Sent is not confirmed: while the broker keeps quiet the message stays, and is ours."""
    world = World()
    world.broker.never_confirms = lambda _update: True
    world.queue.put(state("a", 1))
    async with world.running() as poller:
        await world.until(lambda: len(world.broker.accepted) == 1, "a publish")
        await asyncio.sleep(200)
        assert len(world.queue.messages) == poller.in_flight == 1
        assert poller.count("lease_renewals", outcome="renewed") >= 200 // 30
        assert world.queue.messages["m0"].attempts == 1
        world.broker.never_confirms = lambda _update: False
        world.broker.disconnect_all()
        await world.rest()


@virtual_time
async def test_several_messages_are_in_flight_at_once() -> None:
    """A slow broker costs one round trip for a page of pillows, not one for each."""
    world = World()
    for number in range(100):
        world.queue.put(state(f"p{number}", 1))
    poller = world.start(broker_latency_s=lambda: 0.5, queue_latency_s=lambda: 0.1)
    async with world.running(poller):
        await world.rest(within_s=3)
        assert poller.broker.most_in_flight >= 96
        assert poller.calls.most_concurrent["delete"] == MAX_DELETIONS


@virtual_time
async def test_states_of_one_pillow_are_published_in_their_order() -> None:
    """Not in the order in which the queue happens to hand them out."""
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
async def test_a_state_older_than_a_confirmed_one_is_superseded() -> None:
    """It is deleted and not published, and counted; so is the very same state once more."""
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
async def test_a_state_that_waits_for_its_turn_supersedes_nothing() -> None:
    """While the newest is on its way, the older one behind it is kept."""
    world = World()
    world.broker.never_confirms = lambda update: update.order == order(9)
    world.queue.put(state("a", 9))
    world.queue.put(state("a", 5), after_s=3)
    async with world.running() as poller:
        await asyncio.sleep(100)
        assert poller.count("superseded") == 0
        assert len(world.queue.messages) == 2
        world.broker.never_confirms = lambda _update: False
        world.broker.disconnect_all()
        await world.rest()
    world.check_newest()


@virtual_time
async def test_one_slow_pillow_does_not_hold_the_others() -> None:
    """Their messages pass while its first one waits for the broker."""
    world = World()
    world.broker.never_confirms = lambda update: update.pillow == "slow"
    for number in range(50):
        world.queue.put(state("slow", number))
        world.queue.put(state(f"p{number % 7}", number))
    async with world.running() as poller:
        await world.until(lambda: poller.count("deleted") == 50, "the others", within_s=5)
        assert poller.in_flight == 50
        world.broker.never_confirms = lambda _update: False
        world.broker.disconnect_all()
        await world.rest()
    world.check_newest()


@virtual_time
async def test_no_more_than_the_window_is_in_hand() -> None:
    """Leases are not taken out on what cannot be published yet."""
    world = World()
    world.broker.never_confirms = lambda _update: True
    for number in range(MAX_IN_FLIGHT + 100):
        world.queue.put(state(f"p{number}", 1))
    async with world.running() as poller:
        await world.until(lambda: poller.in_flight >= MAX_IN_FLIGHT, "a full window")
        await asyncio.sleep(100)
        assert poller.in_flight == poller.broker.most_in_flight == MAX_IN_FLIGHT
        assert poller.count("received") == MAX_IN_FLIGHT
        world.broker.never_confirms = lambda _update: False
        world.broker.disconnect_all()
        await world.rest()
    assert poller.broker.most_in_flight == MAX_IN_FLIGHT


# Dead letters


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "malformed"),
        ("  <&>\n\t\u00e9 \U0001f98a ", "malformed"),
        ("null", "malformed"),
        ('{"pillow":"#","state":"hugging"}', "bad-id"),
        ('{"pillow":"a","state":7}', "unknown-state"),
        ('{"pillow":"a","state":"hugging","seq":-1}', "bad-field"),
        ("x" * 65_537, "too-large"),
    ],
)
@virtual_time
async def test_what_cannot_be_read_is_kept_word_for_word_and_said(text: str, reason: str) -> None:
    """At once: in the poison queue whole, on MQTT the beginning of it, in the books by reason."""
    world = World()
    name = world.queue.put(text)
    world.queue.put(state("a", 1))
    async with world.running() as poller:
        await world.rest()
    assert world.queue.poison == [text]
    assert poller.count("dead_lettered", reason=reason) == poller.count("dead_lettered") == 1
    assert poller.count("published") == 1
    (letter,) = map(json.loads, world.broker.letters)
    assert (letter["message"], letter["reason"], letter["attempts"]) == (name, reason, 1)
    assert letter["text"] == text[:512]
    assert letter["detail"]


@virtual_time
async def test_a_message_received_too_often_is_a_dead_letter() -> None:
    """The last attempt that is allowed is still one."""
    world = World(max_attempts=5)
    world.queue.put(state("a", 1), attempts=4)
    world.queue.put(state("b", 1), attempts=5)
    async with world.running() as poller:
        await world.rest()
    assert world.queue.poisoned_ids == ["m1"]
    assert poller.count("dead_lettered", reason="too-many-attempts") == 1
    assert world.broker.retained.keys() == {"a"}


@virtual_time
async def test_a_dead_letter_is_not_deleted_before_its_copy_is_confirmed() -> None:
    """As long as the poison queue does not work the message is kept, and good ones pass."""
    world = World()
    world.queue.put("what?")
    broken = True
    poller = world.start(
        fault=lambda act: Fault.LOST_REQUEST if broken and act == "put_poison" else None
    )
    async with world.running(poller):
        await asyncio.sleep(100)
        world.queue.put(state("a", 1))
        await world.until(lambda: poller.count("deleted") == 1, "a good one done")
        assert list(world.queue.messages) == ["m0"]
        assert world.queue.messages["m0"].attempts == 1, "its lease was renewed meanwhile"
        assert poller.queue_state.startswith("keep a dead letter: ")
        broken = False
        await world.rest()
        assert poller.queue_state == OK
    assert world.queue.poison == ["what?"]


@virtual_time
async def test_a_dead_letter_whose_lease_ends_before_its_copy_is_left_to_come_again() -> None:
    """Even a queue that would still take our deletion is not asked for it."""
    world = World(visibility_s=8)
    world.queue.put("what?")
    broken = True

    def fault(act: str) -> Fault | None:
        fails = act in ("put_poison", "renew") or (act == "receive" and now() > 1)
        return Fault.LOST_REQUEST if broken and fails else None

    async with world.running(world.start(fault=fault)) as poller:
        await world.until(lambda: poller.in_flight == 1, "it in hand")
        await world.until(lambda: poller.in_flight == 0, "it let go")
        await asyncio.sleep(10)
        assert list(world.queue.messages) == ["m0"]
        assert poller.count("retried") == 1
        broken = False
        await world.rest()
    assert world.queue.poison == ["what?"]


@virtual_time
async def test_a_dead_letter_that_cannot_be_announced_is_kept_all_the_same() -> None:
    """The poison queue is what counts; the announcement is for whoever watches."""
    world = World()
    world.queue.put("what?")
    poller = world.start(fault=lambda act: Fault.DENIED if act == "announce" else None)
    async with world.running(poller):
        await world.rest(within_s=10)
    assert world.queue.poison == ["what?"]
    assert world.broker.letters == []
    assert poller.count("dead_lettered") == 1


# The broker fails


@virtual_time
async def test_nothing_is_fetched_while_the_broker_is_away() -> None:
    """Neither leases nor attempts are spent on what could not be published."""
    world = World()
    world.queue.put(state("a", 1))
    poller = world.start(connected=False)
    async with world.running(poller):
        await asyncio.sleep(1000)
        assert poller.calls.made == []
        assert poller.queue_state == "not asked yet"
        poller.broker.connect()
        await world.rest()
    assert poller.count("published") == 1


@virtual_time
async def test_a_broker_lost_in_mid_flight_costs_nothing_but_time() -> None:
    """What was on its way is sent again in order; leases are held, attempts are not spent."""
    world = World()
    for number in range(60):
        world.queue.put(state(f"p{number % 5}", number))
    poller = world.start(broker_latency_s=lambda: 0.5, reconnect_s=90)
    async with world.running(poller):
        await world.until(lambda: poller.broker.most_in_flight > 30, "flight")
        world.broker.disconnect_all()
        await asyncio.sleep(80)
        assert len(world.queue.messages) == 60
        assert {one.attempts for one in world.queue.messages.values()} <= {0, 1}
        await world.rest()
    world.check_newest()
    assert poller.count("retried") == 0


@virtual_time
async def test_a_lost_connection_that_still_calls_itself_ready_is_no_tight_loop() -> None:
    """Between a connection's end and its handling, sends fail at once: the loop must go on."""
    world = World()
    poller = world.start(unnoticed_s=2.0)
    async with world.running(poller):
        await asyncio.sleep(1)
        world.queue.put(state("a", 1))
        world.broker.disconnect_all()
        await world.rest()
    assert poller.calls.made.count("publish_state") < 50
    assert poller.count("published") == 1
    assert poller.count("retried") == 0, "nothing was sent, so nothing counts"


@virtual_time
async def test_a_refused_publish_is_kept_and_sent_again_until_it_is_taken() -> None:
    """An ACL that is wrong costs no message; it is said once, and shown as not ready."""
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
async def test_a_message_that_makes_the_broker_hang_up_ends_as_a_dead_letter() -> None:
    """It is given back after a few sends, so that its attempts come to an end."""
    world = World(max_attempts=3)
    world.queue.put(state("bad", 1))
    world.broker.disconnects_on = lambda update: update.pillow == "bad"
    async with world.running() as poller:
        await world.until(lambda: poller.count("retried") == 1, "it given back")
        assert poller.calls.made.count("publish_state") == MAX_SENDS
        assert poller.calls.made.count("release") == 1
        await world.rest()
    assert world.queue.poisoned_ids == ["m0"]
    assert poller.count("dead_lettered", reason="too-many-attempts") == 1
    assert poller.count("retried") == 3


@virtual_time
async def test_a_message_that_makes_the_broker_hang_up_takes_no_other_with_it() -> None:
    """Those that were in flight with it are published, and none is a dead letter."""
    world = World(max_attempts=3)
    world.broker.disconnects_on = lambda update: update.pillow == "bad"
    for number in range(40):
        world.queue.put(state("bad" if number == 0 else f"p{number}", 1))
    async with world.running():
        await world.rest()
    assert world.queue.poisoned_ids == ["m0"]
    world.check_newest()


@virtual_time
async def test_a_broker_that_breaks_at_every_send_makes_no_dead_letters_of_a_backlog() -> None:
    """An outage is not a fault of the messages: at most one of them pays for each break."""
    world = World(max_attempts=2)
    for number in range(40):
        world.queue.put(state(f"p{number}", 1))
    sick = True
    world.broker.disconnects_on = lambda _update: sick
    async with world.running() as poller:
        await world.until(lambda: poller.broker.losses == 20, "breaks")
        sick = False
        await world.rest()
    assert len(world.queue.poison) <= 20 / MAX_SENDS
    world.check_newest()


# The queue fails


@pytest.mark.parametrize("act", ["receive", "delete", "put_poison", "renew", "release"])
@pytest.mark.parametrize("fault", FAILURES)
@virtual_time
async def test_a_queue_that_fails_for_a_while_costs_nothing_but_time(
    act: str, fault: Fault
) -> None:
    """Whichever of its acts fails, and however; readiness says so, and afterwards is well again."""
    world = World(visibility_s=8, max_attempts=50)
    world.broker.disconnects_on = lambda update: update.pillow == "c" and now() < 20
    broken, seen = True, set[str]()
    poller = world.start(
        fault=lambda done: fault if broken and done == act else None,
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
        assert poller.queue_state == OK
    world.check_newest()
    assert set(world.queue.poisoned_ids) == {"m1"}
    if act != "release":  # nobody waits for it
        assert any(said.partition(":")[0] in SAID[act] for said in seen), "readiness says so"
        assert poller.count("queue_failures") > 0


@virtual_time
async def test_a_trouble_is_over_when_nothing_suffers_from_it_any_more() -> None:
    """A renewal that failed says nothing once its message is done: the service is ready again."""
    world = World(visibility_s=8)
    world.broker.never_confirms = lambda _update: now() < 20
    world.queue.put(state("a", 1))
    poller = world.start(
        fault=lambda act: Fault.LOST_REQUEST if act == "renew" else None, reconnect_s=0.1
    )
    async with world.running(poller):
        await world.until(lambda: poller.queue_state.startswith("renew"), "trouble")
        await world.until(lambda: now() > 20, "time")
        world.broker.disconnect_all()
        await world.rest()
        assert poller.queue_state == OK


@virtual_time
async def test_an_outage_is_said_once_and_its_end_once() -> None:
    """However many requests fail in between."""
    world = World()
    broken = True
    poller = world.start(fault=lambda _act: Fault.LOST_REQUEST if broken else None)
    with capture_logs() as logs:
        async with world.running(poller):
            await asyncio.sleep(300)
            broken = False
            await world.until(lambda: poller.queue_state == OK, "recovery")
            await asyncio.sleep(10)
    assert poller.count("queue_failures", act="receive", kind="unavailable") > 10
    assert [one["event"] for one in logs] == [
        "queue operation failed; retrying",
        "queue works again",
    ]


@virtual_time
async def test_a_queue_that_says_no_is_asked_twice_a_minute() -> None:
    """Only a person can change it; what it said is what readiness says."""
    world = World()
    poller = world.start(fault=lambda _act: Fault.DENIED)
    async with world.running(poller):
        await asyncio.sleep(300)
        assert 5 <= len(poller.calls.made) <= 11
        assert poller.queue_state == f"receive: {DENIED}"


@virtual_time
async def test_an_idle_queue_is_asked_at_the_policy_s_ceiling() -> None:
    """And a busy one at once: the policy is what paces the worker."""
    world = World()
    async with world.running() as poller:
        await asyncio.sleep(600)
        idle = len(poller.queue.receive_times)
        assert 600 / 2.1 < idle < 600 / 1.5
        for number in range(320):
            world.queue.put(state(f"p{number}", 1))
        await world.until(lambda: poller.count("polls", found="full") == 10, "ten pages")
        first, *_, last = poller.queue.receive_times[-10:]
        assert last - first < 0.5


# Leases


@virtual_time
async def test_a_lease_is_renewed_at_half_time_and_not_while_it_is_deleted() -> None:
    """Not before half of it has passed, not after it; and never beside a deletion."""
    world = World(visibility_s=16)
    world.broker.never_confirms = lambda _update: now() < 100
    world.queue.put(state("a", 1))
    renewals: list[float] = []

    def fault(act: str) -> Fault | None:
        if act == "renew":
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
async def test_a_renewal_under_way_is_waited_for_before_the_deletion(confirmed_at: float) -> None:
    """Else the deletion would go out with a receipt that the renewal has just made worthless."""
    world = World(visibility_s=8)
    world.queue.put(state("a", 1))
    poller = world.start(broker_latency_s=lambda: confirmed_at / 2, queue_latency_s=lambda: 0.6)
    async with world.running(poller):
        await world.rest()
        assert poller.count("deleted", outcome="deleted") == 1
        assert poller.count("received") == 1


@virtual_time
async def test_a_lease_lost_while_publishing_costs_a_duplicate_at_most() -> None:
    """Whoever has it now ends it; ours is counted as published, its deletion as lease lost."""
    world = World()
    world.broker.never_confirms = lambda _update: now() < 50
    world.queue.put(state("a", 1))
    async with world.running() as poller:
        await world.until(lambda: len(world.broker.accepted) == 1, "a publish")
        world.queue.steal("m0", visibility_s=300)
        await world.until(lambda: now() > 50, "time")
        world.broker.disconnect_all()
        await world.until(lambda: poller.in_flight == 0, "it let go")
        assert list(world.queue.messages) == ["m0"]
        await world.rest()
    assert poller.count("received") == 2
    assert poller.count("lease_renewals", outcome="lost") == 1
    world.check_newest()


@virtual_time
async def test_a_message_delivered_again_into_our_own_hand_is_handled_once() -> None:
    """The new receipt is the one that deletes; the second delivery counts as retried."""
    world = World()
    world.queue.put(state("a", 1))
    async with world.running(world.start(broker_latency_s=lambda: 5)) as poller:
        await world.until(lambda: poller.in_flight == 1, "it in hand")
        world.queue.end_leases()
        await world.until(lambda: poller.count("received") == 2, "it again")
        assert poller.in_flight == 1
        await world.rest()
    assert poller.count("published") == poller.count("retried") == 1
    assert poller.count("deleted", outcome="deleted") == poller.count("deleted") == 1


@virtual_time
async def test_a_message_delivered_again_while_it_is_deleted_is_not_published_again() -> None:
    """Its deletion fails with the old receipt; when it comes back it is superseded."""
    world = World(visibility_s=8)
    world.queue.put(state("a", 1))
    poller = world.start(queue_latency_s=lambda: 3 if now() < 3.5 else 0.01)
    async with world.running(poller):
        await world.until(lambda: "delete" in poller.calls.made, "a deletion")
        world.queue.end_leases()
        await world.rest()
    assert len(world.broker.accepted) == 1
    assert poller.count("received") >= 2


# Stopping


@virtual_time
async def test_a_stop_finishes_what_is_in_hand() -> None:
    """Nothing new is fetched, and what was is published and deleted before the worker ends."""
    world = World()
    for number in range(32):
        world.queue.put(state(f"p{number}", 1))
    world.queue.put("what?", after_s=0.05)
    poller = world.start(broker_latency_s=lambda: 1.0)
    async with world.running(poller):
        await world.until(lambda: poller.in_flight == 33, "work in hand")
        receives = poller.calls.made.count("receive")
        await poller.stop(within_s=6)
        assert poller.calls.made.count("receive") == receives
        assert world.queue.messages == {}
        assert world.queue.poison == ["what?"]
        assert poller.count("retried") == 0
    assert poller.in_flight == 0


@virtual_time
async def test_a_stop_while_the_broker_is_away_gives_back_what_is_in_hand() -> None:
    """Within the deadline, and so that others can receive it at once."""
    world = World()
    for number in range(40):
        world.queue.put(state(f"p{number}", 1))
    world.broker.never_confirms = lambda _update: True
    poller = world.start(reconnect_s=None)
    async with world.running(poller):
        await world.until(lambda: poller.in_flight == 40, "work in hand")
        world.broker.disconnect_all()
        await poller.stop(within_s=9)
        assert all(one.visible_at <= now() for one in world.queue.messages.values())
        assert len(world.queue.messages) == 40
    assert poller.count("retried") == 40
    assert poller.in_flight == 0
    world.broker.never_confirms = lambda _update: False
    async with world.running():
        await world.rest()


@virtual_time
async def test_a_stop_while_the_queue_hangs_is_within_the_deadline() -> None:
    """Neither a poll that gets no answer nor a deletion that gets none holds it up."""
    world = World()
    world.queue.put(state("a", 1))
    poller = world.start(queue_latency_s=lambda: 0.01 if now() < 0.05 else 60.0)
    async with world.running(poller):
        await world.until(lambda: poller.count("published") == 1, "a publish")
        await asyncio.sleep(5)
        await poller.stop(within_s=9.5)
    assert poller.count("retried") == 0, "it was published, and is counted as that"


@virtual_time
async def test_a_stop_deletes_rather_than_gives_back_what_was_published() -> None:
    """A deletion that failed until now gets a last chance: a published one need not come again."""
    world = World()
    world.queue.put(state("a", 1))
    world.queue.put("what?")
    poller = world.start(
        fault=lambda act: Fault.LOST_REQUEST if act == "delete" and now() < 8.9 else None
    )
    async with world.running(poller):
        await asyncio.sleep(5)
        await poller.stop(within_s=9.5)
        assert world.queue.messages == {}
    assert poller.calls.made.count("release") == 0
    assert len(world.queue.poison) == 1


@virtual_time
async def test_a_stop_before_there_was_a_broker_is_at_once() -> None:
    """There is nothing in hand."""
    world = World()
    poller = world.start(connected=False)
    async with world.running(poller):
        await asyncio.sleep(5)
        await poller.stop(within_s=0.1)
    assert poller.calls.made == []


@virtual_time
async def test_what_the_broker_says_after_the_end_is_no_error() -> None:
    """The session outlives the worker by a moment."""
    world = World()
    world.queue.put(state("a", 9))
    poller = world.start()
    async with world.running(poller):
        await world.rest()
        poller.stopping.set()
        await poller.running
        known = world.broker.accepted[0]
        older = replace(known, order=order(1), payload=b"{}")
        poller.listener.on_state(older)
        poller.listener.on_lost()
        poller.listener.on_ready()
        poller.broker.close()


@virtual_time
async def test_what_nobody_expects_ends_the_worker() -> None:
    """A bug must not leave a worker that looks alive and works no more."""
    world = World()
    world.queue.put(state("a", 1))
    poller = world.start()

    def broken(*_given: object) -> None:
        raise KeyError("a bug")

    poller.broker.publish_state = broken  # type: ignore[method-assign,assignment]
    with pytest.raises(ExceptionGroup) as caught:
        await poller.running
    assert caught.group_contains(KeyError, match="a bug")
    assert list(world.queue.messages) == ["m0"]
    poller.broker.close()


# Several pollers


@virtual_time
async def test_three_pollers_on_one_queue_end_with_the_last_writes() -> None:
    """Whatever one publishes after another's newer is published again by who knows better."""
    world = World()
    for number in range(200):
        world.queue.put(state(f"p{number % 4}", (number * 37) % 200))
    first = world.start(broker_latency_s=lambda: 0.3)
    second = world.start(broker_latency_s=lambda: 0.05)
    async with world.running():
        await world.rest()
        await asyncio.sleep(5)
        world.check_newest()
    for poller in (first, second):
        await poller.stop()


@pytest.mark.parametrize("echoes", [False, True], ids=["MQTT 5", "MQTT 3.1.1"])
@virtual_time
async def test_a_burst_of_one_pillow_is_not_healed_against_itself(echoes: bool) -> None:
    """Hearing or confirming one's own older states after a newer one is nobody's mistake."""
    world = World()
    for number in range(300):
        world.queue.put(state("a", number))
    async with world.running(world.start(loop_back=echoes)) as poller:
        await world.rest()
        assert poller.count("healed") == 0
    world.check_newest()


@virtual_time
async def test_many_old_states_at_once_are_healed_once_or_twice() -> None:
    """Not once for each: healing must not become a storm of its own."""
    world = World()
    world.queue.put(state("a", 100))
    async with world.running() as poller:
        await world.rest()
        newest = world.broker.accepted[0]
        for at_s in range(50):
            older = replace(newest, order=order(at_s), payload=b"{}")
            world.broker.retained["a"] = older
            poller.listener.on_state(older)
        await asyncio.sleep(1)
        assert 1 <= poller.count("healed") <= 2
    world.check_newest()


@virtual_time
async def test_a_pillow_removed_while_it_is_healed_stays_removed() -> None:
    """There is nothing to publish any more."""
    world = World()
    world.queue.put(state("a", 100))
    async with world.running() as poller:
        await world.rest()
        newest = world.broker.accepted[0]
        del world.broker.retained["a"]
        poller.listener.on_state(replace(newest, order=order(1), payload=b"{}"))
        poller.listener.on_removed("a")
        await asyncio.sleep(1)
        assert poller.count("healed") == 0
        assert world.broker.retained == {}


@virtual_time
async def test_a_broker_that_lost_its_memory_is_told_again() -> None:
    """The newest of every pillow, although the queue has long been empty."""
    world = World()
    for number in range(10):
        world.queue.put(state(f"p{number}", number))
    async with world.running() as poller:
        await world.rest()
        world.broker.retained.clear()
        world.broker.disconnect_all()
        await world.until(lambda: len(world.broker.retained) == 10, "all told again")
        await asyncio.sleep(1)
        assert poller.count("healed") == 10
    world.check_newest()


@virtual_time
async def test_a_broker_that_never_lives_to_save_is_told_again_each_time() -> None:
    """Also when all that time the state itself is an old one, and pollers come and go."""
    world = World()
    world.queue.put(state("a", 1))
    async with AsyncExitStack() as stack:
        poller = await stack.enter_async_context(world.running())
        await world.rest()
        for _ in range(10):
            world.broker.retained.clear()
            world.broker.disconnect_all()
            await world.until(lambda: "a" in world.broker.retained, "told again")
            successor = await stack.enter_async_context(world.running())
            await asyncio.sleep(2)
            await poller.crash()
            poller = successor
            await asyncio.sleep(23)
    world.check_newest()
