"""Pacing: every message is sent when it is due, or skipped and counted."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.stream.items import StreamItem
from simulator.stream.pacing import MAX_LATE_S, MAX_SKIPPED_PER_STEP, MIN_WAIT_S, Pacer

times = st.lists(st.floats(0, 100, allow_nan=False), max_size=60).map(sorted)
speeds = st.sampled_from([0.5, 1.0, 60.0])


def due_at(*seconds: float) -> list[StreamItem]:
    """Return messages that are due at these times."""
    return [StreamItem(due_s, "cloud-1", b"x") for due_s in seconds]


def test_nothing_is_sent_before_it_is_due() -> None:
    """The wait is the time until the next message."""
    step = Pacer(iter(due_at(0.5, 1.5))).step(0.25)

    assert (step.due, step.skipped, step.wait_s) == ((), 0, 0.25)


def test_all_due_messages_are_sent_together_and_in_order() -> None:
    """The step has the delay of the first."""
    items = due_at(0.5, 0.75, 1.5)
    step = Pacer(iter(items)).step(1.0)

    assert (step.due, step.wait_s, step.late_s) == (tuple(items[:2]), 0.5, 0.5)


@given(dues=times, nows=times, at_most=st.integers(1, 10), speed=speeds)
def test_every_message_is_sent_once_or_skipped_or_still_to_come(
    dues: list[float], nows: list[float], at_most: int, speed: float
) -> None:
    """For any clock. A sent message is due, and at most MAX_LATE_S late."""
    pacer = Pacer(iter(due_at(*dues)), speed=speed)
    sent: list[StreamItem] = []
    skipped = 0
    for now_s in nows:
        step = pacer.step(now_s, at_most)
        assert len(step.due) <= at_most
        for item in step.due:
            assert item.due_s <= now_s * speed
            assert item.due_s / speed >= now_s - MAX_LATE_S - 1e-9
        sent += step.due
        skipped += step.skipped
        remaining = len(dues) - len(sent) - skipped
        if step.wait_s is None:
            assert remaining == 0
        elif step.wait_s > 0:
            assert len(step.due) < at_most or remaining

    assert [item.due_s for item in sent] == sorted(item.due_s for item in sent)


@given(dues=times, speed=speeds)
def test_the_speed_changes_only_when_messages_are_sent(dues: list[float], speed: float) -> None:
    """Each at its due time divided by the speed."""
    pacer = Pacer(iter(due_at(*dues)), speed=speed)
    now_s = 0.0
    sent: list[StreamItem] = []
    while True:
        step = pacer.step(now_s)
        sent += step.due
        if step.wait_s is None:
            break
        # Rounding must not leave the clock just before the due time.
        now_s += step.wait_s + 1e-9

    assert [item.due_s for item in sent] == dues
    assert now_s == pytest.approx((dues[-1] if dues else 0) / speed, abs=1e-6)


def test_without_a_speed_nothing_waits_and_nothing_is_late() -> None:
    """`at_most` still limits a step."""
    pacer = Pacer(iter(due_at(0, 100, 1e9)), speed=None)
    step = pacer.step(0.0, at_most=2)

    assert (len(step.due), step.skipped, step.wait_s, step.late_s) == (2, 0, 0.0, 0.0)
    assert pacer.step(50.0).wait_s is None


def test_nothing_is_skipped_where_it_may_not_be() -> None:
    """The step has the delay of a minute."""
    step = Pacer(iter(due_at(0, 1, 2)), may_skip=False).step(60)

    assert (len(step.due), step.skipped, step.late_s) == (3, 0, 60)


def test_a_network_change_is_never_skipped() -> None:
    """A message with the same due time is."""
    items = [StreamItem(0, "cloud-1", b"x"), StreamItem(0, "cloud-1", network="down")]
    step = Pacer(iter(items)).step(60)

    assert (step.due, step.skipped) == ((items[1],), 1)


def test_a_step_skips_at_most_max_skipped_per_step() -> None:
    """The next step skips the rest, without a wait."""
    pacer = Pacer(iter(due_at(*[0.0] * (MAX_SKIPPED_PER_STEP + 5))))
    first, second = pacer.step(60), pacer.step(60)

    assert (first.skipped, first.wait_s) == (MAX_SKIPPED_PER_STEP, 0)
    assert (second.skipped, second.wait_s) == (5, None)


def test_a_wait_is_long_enough_for_a_clock_to_advance() -> None:
    """The time of an item and of a clock may differ by less than a float can add to either."""
    pacer = Pacer(iter(due_at(3.9800000000000004)))

    assert pacer.step(3.98).wait_s == MIN_WAIT_S


@given(due_s=st.floats(0, 100, allow_nan=False), speed=speeds)
@example(due_s=1.9, speed=60.0)
def test_a_step_that_sends_nothing_waits(due_s: float, speed: float) -> None:
    """Divided and multiplied by the speed, the time of an item may be another one."""
    step = Pacer(iter(due_at(due_s)), speed=speed).step(due_s / speed)

    assert step.due or step.wait_s == MIN_WAIT_S
