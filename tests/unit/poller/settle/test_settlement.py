"""Settlement: a message is deleted only after its outcome is confirmed."""

import asyncio
import json

import pytest
from structlog.testing import capture_logs

from poller.background_tasks import BackgroundTasks
from poller.in_flight import MAX_BLOCKED, MAX_IN_FLIGHT, InFlight, Outcome
from poller.metrics import PollerMetrics
from poller.queues import Body, ReceivedMessage
from poller.settle.monitored_queue import MonitoredQueue
from poller.settle.queue_health import QueueHealth
from poller.settle.queue_outage import UNUSED_RECOVERY_S
from poller.settle.settlement import REPEAT_S, Settlement
from runtime import log_repeats
from runtime.health import OK
from tests.fakes.calls import Fault
from tests.fakes.virtual_time import now, virtual_time
from tests.unit.poller.world import World, state

pytestmark = pytest.mark.timeout(180)


@virtual_time
async def test_a_message_is_deleted_only_after_the_broker_confirmed_it() -> None:
    """Until then the message stays in the queue, and its lease is renewed."""
    world = World()
    world.broker.never_confirms = lambda _update: True
    world.queue.put(state("a", 1))
    async with world.running() as poller:
        await world.until(lambda: len(world.broker.accepted) == 1, "a publish")
        await asyncio.sleep(200)
        assert len(world.queue.messages) == poller.in_flight == 1
        assert poller.count("lease_renewals", outcome="renewed") >= 200 // 30
        assert world.queue.messages["m0"].attempts == 1
        world.confirm_again()
        await world.rest()


@virtual_time
async def test_a_failed_release_is_recorded() -> None:
    """The message is delivered again when its lease ends."""
    world = World(visibility_s=8, max_attempts=50)
    world.broker.disconnects_on = lambda _update: now() < 5
    world.queue.put(state("a", 1))
    poller = world.start(
        fault=lambda operation: Fault.LOST_REQUEST if operation == "release" else None
    )
    async with world.running(poller):
        await world.rest()
        assert poller.count("queue_failures", operation="release") >= 1
        await asyncio.sleep(UNUSED_RECOVERY_S + 3)
        assert poller.queue_state == "ok"
    assert world.broker.retained["a"].state == "hugging"


@pytest.mark.parametrize("cause", ["broker refuses", "poison queue denied"])
@virtual_time
async def test_blocked_messages_do_not_stop_the_others(cause: str) -> None:
    """Neither refused states nor a denied poison queue; later the blocked ones are settled, too."""
    world = World(max_attempts=5)
    broken = True
    world.broker.refuses = lambda update: broken and update.pillow == "bad"
    poller = world.start(
        fault=lambda operation: Fault.DENIED if broken and operation == "put_poison" else None
    )
    for number in range(MAX_IN_FLIGHT + 50):
        world.queue.put(state("bad", number) if cause == "broker refuses" else f"what? {number}")
    for number in range(100):
        world.queue.put(state("good", number))
    async with world.running(poller):
        # Concurrent fetch loops can receive a few of them out of order, which are superseded.
        await world.until(
            lambda: poller.count("published") + poller.count("superseded") == 100,
            "every good message settled",
            within_s=60,
        )
        await asyncio.sleep(300)
        assert poller.in_flight == MAX_BLOCKED
        broken = False
        await world.rest(within_s=2000)
    if cause == "broker refuses":
        assert poller.count("published") + poller.count("superseded") == MAX_IN_FLIGHT + 150
        assert world.queue.poison == []
    else:
        assert len(world.queue.poison) == MAX_IN_FLIGHT + 50
    world.check_newest()


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
async def test_a_message_that_cannot_be_decoded_is_dead_lettered_at_once(
    text: str, reason: str
) -> None:
    """At its first delivery: copied byte for byte, announced with 512 characters, and counted."""
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
async def test_a_dead_letter_is_deleted_only_after_its_copy_is_confirmed() -> None:
    """While the poison queue fails the message is kept, and other messages are published."""
    world = World()
    world.queue.put("what?")
    broken = True
    poller = world.start(
        fault=lambda operation: Fault.LOST_REQUEST if broken and operation == "put_poison" else None
    )
    async with world.running(poller):
        await asyncio.sleep(100)
        world.queue.put(state("a", 1))
        await world.until(lambda: poller.count("deleted") == 1, "the good one")
        assert list(world.queue.messages) == ["m0"]
        assert world.queue.messages["m0"].attempts == 1, "its lease was renewed meanwhile"
        assert poller.queue_state.startswith("keep a dead letter: ")
        broken = False
        await world.rest()
        assert poller.queue_state == OK
    assert world.queue.poison == ["what?"]


@virtual_time
async def test_a_dead_letter_whose_lease_ends_before_its_copy_is_dropped() -> None:
    """It is not deleted, and the next delivery dead-letters it."""
    world = World(visibility_s=8)
    world.queue.put("what?")
    broken = True

    def fault(operation: str) -> Fault | None:
        fails = operation in ("put_poison", "renew") or (operation == "receive" and now() > 1)
        return Fault.LOST_REQUEST if broken and fails else None

    async with world.running(world.start(fault=fault)) as poller:
        await world.until(lambda: poller.in_flight == 1, "one in flight")
        await world.until(lambda: poller.in_flight == 0, "none in flight")
        await asyncio.sleep(10)
        assert list(world.queue.messages) == ["m0"]
        assert poller.count("retried") == 1
        broken = False
        await world.rest()
    assert world.queue.poison == ["what?"]


@virtual_time
async def test_a_dead_letter_that_cannot_be_announced_is_completed() -> None:
    """Only the copy in the poison queue matters."""
    world = World()
    world.queue.put("what?")
    poller = world.start(fault=lambda operation: Fault.DENIED if operation == "announce" else None)
    async with world.running(poller):
        await world.rest(within_s=10)
    assert world.queue.poison == ["what?"]
    assert world.broker.letters == []
    assert poller.count("dead_lettered") == 1


# Invariants


@virtual_time
async def test_only_a_message_settled_before_is_deleted_as_retried() -> None:
    """Otherwise its update would neither be confirmed nor in the poison queue."""
    poller = World().start(connected=False)
    in_flight, metrics = InFlight(lambda: 0), PollerMetrics()
    queue = MonitoredQueue(poller.queue, QueueHealth(metrics))
    settlement = Settlement(queue, poller.broker, in_flight, BackgroundTasks(), metrics)
    message = in_flight.add(ReceivedMessage("a", "r", Body("HUG", 0, 1)))

    with pytest.raises(AssertionError, match="retried"):
        settlement.complete(message, Outcome.RETRIED)

    await poller.crash()


@virtual_time
async def test_a_settled_message_is_deleted_only_after_the_journal_has_its_state() -> None:
    """It is counted at once, and a stop waits for the journal before it deletes."""
    world = World()
    poller = world.start(connected=False)
    world.queue.put(state("a", 1))
    in_flight, metrics = InFlight(lambda: 0), PollerMetrics()
    queue = MonitoredQueue(poller.queue, QueueHealth(metrics))
    settlement = Settlement(queue, poller.broker, in_flight, BackgroundTasks(), metrics)
    (delivery,) = await queue.receive(1)
    journaled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    settlement.complete(message := in_flight.add(delivery), Outcome.PUBLISHED, journaled)
    assert message.outcome is Outcome.PUBLISHED
    received: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    received.set_result(None)
    stopping = asyncio.create_task(settlement.abandon_all(received, 5.0))
    await asyncio.sleep(1)
    assert len(world.queue.messages) == 1
    journaled.set_result(None)
    await stopping
    assert len(world.queue.messages) == 0
    await poller.crash()


@virtual_time
async def test_many_dead_letters_do_not_fill_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the first ones has a line, later ones one a minute with their number."""
    monkeypatch.setattr(log_repeats, "MAX_KEYS", 3)
    monkeypatch.setattr(log_repeats, "monotonic_s", now)
    world = World()
    with capture_logs() as lines:
        async with world.running():
            for number in range(10):
                world.queue.put(f"nonsense {number}")
            await world.rest()
            await asyncio.sleep(REPEAT_S)
            world.queue.put("nonsense at last")
            await world.rest()

    letters = [line for line in lines if line["event"].startswith("dead letter: kept")]
    assert [line.get("repeats") for line in letters] == [None, None, None, 7]
    assert len(world.queue.poison) == 11
