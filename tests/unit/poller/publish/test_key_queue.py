"""The queue of one pillow's states: which are sent together, which alone, and in which order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.messages import ParsedMessage, decode_message
from poller.in_flight import InFlightMessage
from poller.publish.key_queue import MAX_SENDS, KeyQueue, PendingState
from poller.queues import Body, ReceivedMessage
from tests.fakes.queue import EPOCH_S
from tests.unit.poller.world import order, state

orders = st.lists(st.integers(0, 100), min_size=1, max_size=20)


def pending(at_s: int, *, lost_sends: int = 0) -> PendingState:
    """Return a state whose publish was lost `lost_sends` times."""
    text = state("a", at_s)
    parsed = decode_message(text, default_pillow="cloud", queued_us=EPOCH_S * 1_000_000)
    assert isinstance(parsed, ParsedMessage)
    delivery = ReceivedMessage(f"m{at_s}", "r", Body(text, 0, 1))
    return PendingState(InFlightMessage(delivery, 0, lost_sends=lost_sends), parsed)


@given(orders)
def test_a_batch_has_every_waiting_state_oldest_first(times: list[int]) -> None:
    """In whatever order the states arrived."""
    queue = KeyQueue("a", [pending(at_s) for at_s in times])

    batch = queue.next_batch(newest_only=False)

    assert [one.state.order for one in batch] == [order(at_s) for at_s in sorted(times)]
    assert queue.waiting == []


@given(orders)
def test_newest_only_takes_the_newest_state_and_keeps_the_others(times: list[int]) -> None:
    """They are superseded when it is confirmed, and not before."""
    queue = KeyQueue("a", [pending(at_s) for at_s in times])

    (newest,) = queue.next_batch(newest_only=True)

    assert newest.state.order == order(max(times))
    assert len(queue.waiting) == len(times) - 1


def test_a_state_at_its_last_send_is_sent_alone() -> None:
    """Older states go first in a batch; newer ones wait behind it."""
    queue = KeyQueue("a", [pending(3), pending(2, lost_sends=MAX_SENDS - 1), pending(1)])

    assert [one.message.id for one in queue.next_batch(newest_only=False)] == ["m1"]
    assert queue.must_send_alone
    assert queue.next_batch(newest_only=False) == []
    assert [one.message.id for one in queue.waiting] == ["m2", "m3"]


def test_a_batch_while_states_are_in_flight_breaks_an_invariant() -> None:
    """An older state could overtake a newer one."""
    queue = KeyQueue("a", [pending(1)], in_flight=1)

    with pytest.raises(AssertionError, match="1 states are in flight"):
        queue.next_batch(newest_only=False)


def test_states_to_retry_wait_with_the_others() -> None:
    """They are sorted with states that arrived meanwhile."""
    queue = KeyQueue("a", [pending(2)], retry=[pending(1)])

    queue.retry_later()

    assert queue.retry == []
    assert [one.message.id for one in queue.next_batch(newest_only=False)] == ["m1", "m2"]
