"""Pacing: everything is sent when due or said to be left out, and never in a burst."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.stream.faults import Item
from simulator.stream.pacing import LATE_S, MOST_SKIPPED_AT_ONCE, Pacer

times = st.lists(st.floats(0, 100, allow_nan=False), max_size=60).map(sorted)
speeds = st.sampled_from([0.5, 1.0, 60.0])


def due_at(*seconds: float) -> list[Item]:
    """Messages that are due then."""
    return [Item(due_s, "cloud-1", b"x") for due_s in seconds]


def test_nothing_is_sent_before_it_is_due() -> None:
    """The wait is the time until the next one."""
    step = Pacer(iter(due_at(0.5, 1.5))).step(0.25)

    assert (step.due, step.skipped, step.wait_s) == ((), 0, 0.25)


def test_what_is_due_is_sent_at_once_and_in_order() -> None:
    """All of it together, and how late the first of it is."""
    found = due_at(0.5, 0.75, 1.5)
    step = Pacer(iter(found)).step(1.0)

    assert (step.due, step.wait_s, step.late_s) == (tuple(found[:2]), 0.5, 0.5)


@given(dues=times, nows=times, at_most=st.integers(1, 10), speed=speeds)
def test_every_message_is_sent_once_left_out_or_still_to_come(
    dues: list[float], nows: list[float], at_most: int, speed: float
) -> None:
    """Whatever the clock does; what is sent is due, and no later than a second of the clock."""
    pacer = Pacer(iter(due_at(*dues)), speed=speed)
    sent: list[Item] = []
    skipped = 0
    for now_s in nows:
        step = pacer.step(now_s, at_most)
        assert len(step.due) <= at_most
        for one in step.due:
            assert one.due_s <= now_s * speed
            assert one.due_s / speed >= now_s - LATE_S - 1e-9
        sent += step.due
        skipped += step.skipped
        left = len(dues) - len(sent) - skipped
        if step.wait_s is None:
            assert left == 0
        elif step.wait_s > 0:
            assert len(step.due) < at_most or left

    assert [one.due_s for one in sent] == sorted(one.due_s for one in sent)


@given(dues=times, speed=speeds)
def test_at_another_speed_the_same_is_sent(dues: list[float], speed: float) -> None:
    """Only sooner or later: each at its time, divided."""
    pacer = Pacer(iter(due_at(*dues)), speed=speed)
    now_s = 0.0
    sent: list[Item] = []
    while True:
        step = pacer.step(now_s)
        sent += step.due
        if step.wait_s is None:
            break
        # A clock does not stop a hair before the time.
        now_s += step.wait_s + 1e-9

    assert [one.due_s for one in sent] == dues
    assert now_s == pytest.approx((dues[-1] if dues else 0) / speed, abs=1e-6)


def test_without_a_speed_nothing_waits_and_nothing_is_late() -> None:
    """As fast as it is taken."""
    pacer = Pacer(iter(due_at(0, 100, 1e9)), speed=None)
    step = pacer.step(0.0, at_most=2)

    assert (len(step.due), step.skipped, step.wait_s, step.late_s) == (2, 0, 0.0, 0.0)
    assert pacer.step(50.0).wait_s is None


def test_what_must_not_be_missing_is_sent_however_late() -> None:
    """And it is said how late it was."""
    step = Pacer(iter(due_at(0, 1, 2)), may_skip=False).step(60)

    assert (len(step.due), step.skipped, step.late_s) == (3, 0, 60)


def test_a_network_that_went_is_never_old_news() -> None:
    """A message may be passed over, that a pillow is away may not."""
    found = [Item(0, "cloud-1", b"x"), Item(0, "cloud-1", link="down")]
    step = Pacer(iter(found)).step(60)

    assert (step.due, step.skipped) == ((found[1],), 1)


def test_after_a_long_stall_a_step_does_not_take_long() -> None:
    """Passing over goes on in the next one, without a wait."""
    pacer = Pacer(iter(due_at(*[0.0] * (MOST_SKIPPED_AT_ONCE + 5))))
    first, second = pacer.step(60), pacer.step(60)

    assert (first.skipped, first.wait_s) == (MOST_SKIPPED_AT_ONCE, 0)
    assert (second.skipped, second.wait_s) == (5, None)
