"""The in-flight window: its limits, and its invariants."""

import asyncio

import pytest

from azure_queue.service import PAGE_SIZE
from poller.in_flight import MAX_BLOCKED, MAX_IN_FLIGHT, InFlight, InFlightMessage, Outcome
from poller.intake_limit import FIRST_LIMIT
from poller.queues import Body, ReceivedMessage
from tests.fakes.virtual_time import virtual_time


def delivery(name: str, *, receipt: str = "r1") -> ReceivedMessage:
    """Return a delivery of the message `name`."""
    return ReceivedMessage(name, receipt, Body("HUG", 0, 1))


def window() -> InFlight:
    """Return an empty window whose clock stands still."""
    return InFlight(lambda: 0)


def settled(in_flight: InFlight, name: str) -> InFlightMessage:
    """Add a message and settle it."""
    message = in_flight.add(delivery(name))
    in_flight.settle(message, Outcome.PUBLISHED)
    return message


def test_a_message_is_settled_exactly_once() -> None:
    """A second outcome would be counted twice."""
    in_flight = window()
    message = settled(in_flight, "a")

    assert in_flight.unsettled == 0
    with pytest.raises(AssertionError, match="is published already"):
        in_flight.settle(message, Outcome.RETRIED)


def test_an_unsettled_message_cannot_leave_the_window() -> None:
    """Its delivery would never be counted."""
    in_flight = window()
    message = in_flight.add(delivery("a"))

    with pytest.raises(AssertionError, match="unsettled"):
        in_flight.remove(message)


def test_a_message_cannot_be_added_twice() -> None:
    """The second delivery of a message in flight replaces the lease of the first."""
    in_flight = window()
    message = in_flight.add(delivery("a", receipt="r1"))
    message.lease_lost = True

    with pytest.raises(AssertionError, match="in flight already"):
        in_flight.add(delivery("a"))
    in_flight.redeliver(message, delivery("a", receipt="r2"))

    assert message.delivery.pop_receipt == "r2"
    assert not message.lease_lost
    assert (len(in_flight), in_flight.unsettled) == (1, 1)


def test_a_message_above_max_in_flight_breaks_an_invariant() -> None:
    """The consumer has to reserve room before it receives."""
    in_flight = window()
    for number in range(MAX_IN_FLIGHT):
        in_flight.add(delivery(f"m{number}"))

    with pytest.raises(AssertionError, match="exceeded"):
        in_flight.add(delivery("one more"))


@virtual_time
async def test_a_reservation_waits_for_room() -> None:
    """Reserved places count like messages, until they are freed."""
    in_flight = window()
    assert [await in_flight.reserve_page() for _ in range(2)] == [PAGE_SIZE] * 2
    in_flight.unreserve(PAGE_SIZE)
    messages = [settled(in_flight, f"m{number}") for number in range(2)]
    reserving = asyncio.create_task(in_flight.reserve_page())
    for message in messages:
        await asyncio.sleep(1)
        assert not reserving.done(), f"{FIRST_LIMIT} messages at most, until a request is measured"
        in_flight.remove(message)
    assert await asyncio.wait_for(reserving, 1) == PAGE_SIZE

    in_flight.unreserve(2 * PAGE_SIZE)
    with pytest.raises(AssertionError, match="more places are freed"):
        in_flight.unreserve(1)


def test_at_most_max_blocked_messages_are_blocked() -> None:
    """One that is blocked already stays so; one that is unblocked or removed makes room."""
    in_flight = window()
    messages = [in_flight.add(delivery(f"m{number}")) for number in range(MAX_BLOCKED + 2)]

    assert all(in_flight.mark_blocked(message) for message in messages[:MAX_BLOCKED])
    assert in_flight.mark_blocked(messages[0])
    assert not in_flight.mark_blocked(messages[-1])
    in_flight.unblock(messages[0])
    assert in_flight.mark_blocked(messages[-1])
    in_flight.settle(messages[1], Outcome.RETRIED)
    in_flight.remove(messages[1])
    assert in_flight.mark_blocked(messages[-2])


def test_the_oldest_undeleted_message_is_forgotten_above_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And each is remembered for one delivery only."""
    monkeypatch.setattr("poller.in_flight.MAX_UNDELETED", 2)
    in_flight = window()
    for name in ("a", "b", "c"):
        message = settled(in_flight, name)
        in_flight.remember_undeleted(message)
        in_flight.remove(message)

    found = []
    for name in ("a", "b", "b", "c"):
        message = in_flight.add(delivery(name))
        found.append(message.settled_before)
        in_flight.settle(message, Outcome.RETRIED)
        in_flight.remove(message)

    assert found == [False, True, False, True]
