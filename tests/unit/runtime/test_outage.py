"""Outage: one beginning and one end, however often the dependency works in between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.outage import MAX_RECOVERY_S, RECOVERY_S, REMINDER_S, Outage, Report


def test_an_outage_is_reported_at_its_first_failure_and_then_every_quarter_of_an_hour() -> None:
    """News in it are reported as well."""
    outage = Outage()
    reports = [outage.record_failure(float(second)) for second in range(1260)]

    assert reports[0] is Report.FAILED
    assert reports.index(Report.STILL_FAILS) == REMINDER_S
    assert reports.count(Report.NOTHING) == 1258
    assert outage.failures == 1260
    assert outage.record_failure(1260, is_news=True) is Report.FAILED


def test_an_outage_is_over_after_a_while_without_failures() -> None:
    """A failure that lasts is one until it ends."""
    outage = Outage()
    assert not outage.record_success(1)
    outage.record_failure(10)
    assert not outage.record_success(10 + RECOVERY_S - 0.1)
    outage.prolong(12)
    assert not outage.record_success(10 + RECOVERY_S)
    assert outage.record_success(12 + RECOVERY_S)
    assert outage.is_over
    assert outage.lasted_s(12 + RECOVERY_S) == 2 + RECOVERY_S


@pytest.mark.parametrize("gap_s", [RECOVERY_S - 0.5, RECOVERY_S + 2, 20.0, 60.0])
def test_what_fails_again_and_again_needs_longer_each_time(gap_s: float) -> None:
    """Half an hour of failures has few outages, whatever the time between them."""
    outage, lines, now_s = Outage(), 0, 0.0
    while now_s < 1800:
        lines += outage.record_failure(now_s) is not Report.NOTHING
        for step in range(1, 10):
            lines += outage.record_success(now_s + step * gap_s / 10)
        now_s += gap_s

    assert lines <= 14
    assert outage.recovery_s <= MAX_RECOVERY_S


@given(st.lists(st.tuples(st.booleans(), st.floats(0.01, 1000)), max_size=60))
def test_beginnings_and_ends_alternate(events: list[tuple[bool, float]]) -> None:
    """An end comes no sooner than the recovery time after the last failure."""
    outage, now_s, failed_s = Outage(), 0.0, -1.0
    for fails, pause_s in events:
        now_s += pause_s
        was_over = outage.is_over
        if fails:
            report = outage.record_failure(now_s)
            assert (report is Report.FAILED) == was_over
            assert not outage.is_over
            failed_s = now_s
        elif outage.record_success(now_s):
            assert not was_over
            assert now_s - failed_s >= outage.recovery_s
            assert outage.is_over
        else:
            assert outage.is_over == was_over
