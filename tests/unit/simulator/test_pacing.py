"""Pacing: everything is sent when due or said to be left out, and never in a burst."""

from hypothesis import given
from hypothesis import strategies as st

from simulator.pacing import LATE_S, MOST_SKIPPED_AT_ONCE, Pacer
from simulator.reports import Report
from tests.unit.simulator.strategies import busy

times = st.lists(st.floats(0, 100, allow_nan=False), max_size=60).map(sorted)


def due_at(*seconds: float) -> list[Report]:
    """Reports that are due then."""
    return [
        Report(due_s, "cloud-1", "neutral", seq, 1.0, 1.0, ()) for seq, due_s in enumerate(seconds)
    ]


def test_nothing_is_sent_before_it_is_due() -> None:
    """The wait is the time until the next one."""
    step = Pacer(iter(due_at(0.5, 1.5))).step(0.25)

    assert (step.due, step.skipped, step.wait_s) == ((), 0, 0.25)


def test_what_is_due_is_sent_at_once_and_in_order() -> None:
    """All of it together."""
    reports = due_at(0.5, 0.75, 1.5)
    step = Pacer(iter(reports)).step(1.0)

    assert (step.due, step.wait_s) == (tuple(reports[:2]), 0.5)


def test_a_stream_that_ends_has_nothing_to_wait_for() -> None:
    """The step with the last one says so."""
    pacer = Pacer(iter(due_at(0.5)))

    assert pacer.step(1.0).wait_s is None
    assert pacer.step(2.0).due == ()


@given(dues=times, nows=times, at_most=st.integers(1, 10))
def test_every_report_is_sent_once_left_out_or_still_to_come(
    dues: list[float], nows: list[float], at_most: int
) -> None:
    """Whatever the clock does between the steps; what is sent is due and no later than a second."""
    pacer = Pacer(iter(due_at(*dues)))
    sent: list[Report] = []
    skipped = 0
    for now_s in nows:
        step = pacer.step(now_s, at_most)
        assert len(step.due) <= at_most
        assert all(now_s - LATE_S <= one.due_s <= now_s for one in step.due)
        sent += step.due
        skipped += step.skipped
        left = len(dues) - len(sent) - skipped
        if step.wait_s is None:
            assert left == 0
        elif step.wait_s > 0:
            assert (
                dues[-left] == now_s + step.wait_s or abs(dues[-left] - now_s - step.wait_s) < 1e-9
            )

    assert [one.seq for one in sent] == sorted({one.seq for one in sent})


@given(stall_s=st.floats(2, 30), rate=st.integers(1, 20))
@busy
def test_after_a_stall_no_more_than_a_second_is_sent_at_once(stall_s: float, rate: int) -> None:
    """The rest is counted as left out."""
    pacer = Pacer(iter(due_at(*(tick / rate for tick in range(40 * rate)))))
    sent = skipped = 0
    while (step := pacer.step(stall_s)).wait_s == 0 or step.due or step.skipped:
        sent += len(step.due)
        skipped += step.skipped

    assert sent <= rate * LATE_S + 1
    assert sent + skipped == int(stall_s * rate) + 1


@given(dues=times, now_s=st.floats(0, 1e6))
def test_a_stream_that_must_be_whole_is_sent_whole(dues: list[float], now_s: float) -> None:
    """However late it is."""
    step = Pacer(iter(due_at(*dues)), may_skip=False).step(now_s)

    assert [one.due_s for one in step.due] == [due_s for due_s in dues if due_s <= now_s]
    assert step.skipped == 0


def test_a_step_is_short_however_much_is_left_out() -> None:
    """A stall of a day is passed over in pieces, so that a signal is heard in between."""
    pacer = Pacer(iter(due_at(*(tick / 1000 for tick in range(3 * MOST_SKIPPED_AT_ONCE)))))
    step = pacer.step(86400)

    assert (step.skipped, step.due, step.wait_s) == (MOST_SKIPPED_AT_ONCE, (), 0)
