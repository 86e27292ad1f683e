"""Queue outage: one beginning and one end, whatever fails in between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.settle.queue_outage import MIN_WORKING_S, UNUSED_RECOVERY_S, QueueOutage
from runtime.outage import MAX_RECOVERY_S, RECOVERY_S, REMINDER_S, Report


def fail(outage: QueueOutage, operation: str, now_s: float, *, is_denied: bool = False) -> Report:
    """Record a failure."""
    return outage.record_failure(operation, "503", now_s, is_denied=is_denied)


def test_an_outage_is_reported_at_its_first_failure_and_then_every_quarter_of_an_hour() -> None:
    """Whichever operations fail."""
    outage = QueueOutage()
    reports = [
        fail(outage, "receive" if second % 2 else "delete", float(second)) for second in range(1260)
    ]

    assert reports[0] is Report.FAILED
    assert reports.index(Report.STILL_FAILS) == REMINDER_S
    assert reports.count(Report.NOTHING) == 1258
    assert outage.failures == 1260


def test_an_operation_that_is_denied_in_an_outage_is_reported_once_as_well() -> None:
    """Its error names the setting to check."""
    outage = QueueOutage()

    assert fail(outage, "receive", 0) is Report.FAILED
    assert fail(outage, "delete", 1, is_denied=True) is Report.FAILED
    assert fail(outage, "delete", 2, is_denied=True) is Report.NOTHING


def test_successes_of_one_operation_do_not_end_the_outage_of_another() -> None:
    """21 minutes in which every deletion fails and every receive succeeds are one outage."""
    outage = QueueOutage()
    reports = []
    for second in range(1260):
        if second % 30 == 0:
            reports.append(fail(outage, "delete", float(second)))
        assert not outage.record_success("receive", float(second))

    assert reports.count(Report.FAILED) == 1
    assert reports.count(Report.STILL_FAILS) == 1
    assert outage.error == "delete: 503"


def test_an_outage_ends_when_the_operation_succeeds_after_a_while_without_failures() -> None:
    """A success of another operation ends it, too, if this one has succeeded since."""
    outage = QueueOutage()
    fail(outage, "delete", 10)

    assert not outage.record_success("delete", 10.1)
    assert not outage.record_success("receive", 10 + RECOVERY_S - 0.1)
    assert outage.record_success("receive", 10 + RECOVERY_S)
    assert outage.is_over
    assert outage.error == ""


def test_an_operation_that_is_not_needed_any_more_is_forgotten() -> None:
    """No message waits for it, so that it never succeeds."""
    outage = QueueOutage()
    fail(outage, "renew", 10)

    assert not outage.record_success("receive", 10 + UNUSED_RECOVERY_S - MIN_WORKING_S)
    assert not outage.record_success("receive", 10 + UNUSED_RECOVERY_S - 0.1)
    assert outage.record_success("receive", 10 + UNUSED_RECOVERY_S)


def test_one_success_after_a_pause_is_no_recovery() -> None:
    """The next request may fail: nothing was tried in the pause."""
    outage = QueueOutage()
    fail(outage, "receive", 10)

    assert not outage.record_success("receive", 10 + MAX_RECOVERY_S)
    assert not outage.record_success("delete", 10 + MAX_RECOVERY_S + 0.01)
    fail(outage, "delete", 10 + MAX_RECOVERY_S + 0.02)
    assert not outage.record_success("receive", 10 + 2 * MAX_RECOVERY_S)
    assert outage.record_success("receive", 10 + 2 * MAX_RECOVERY_S + MIN_WORKING_S)


def test_a_queue_that_fails_again_and_again_needs_longer_each_time() -> None:
    """A failure every 7 s for 21 minutes is not one outage for each failure."""
    outage = QueueOutage()
    begun = ended = 0
    for second in range(1260):
        if second % 7 == 0:
            begun += fail(outage, "receive", float(second)) is Report.FAILED
        else:
            ended += outage.record_success("receive", float(second))

    assert begun == 2
    assert ended == 1


@given(
    st.lists(
        st.tuples(st.sampled_from(["receive", "delete"]), st.booleans(), st.floats(0, 400)),
        max_size=200,
    )
)
def test_beginnings_and_ends_alternate_and_are_sparse(
    events: list[tuple[str, bool, float]],
) -> None:
    """An outage begins only if none lasts, ends only without a recent failure, and is counted."""
    outage, now_s, last_failure_s = QueueOutage(), 0.0, -1.0
    works_since_s: float | None = None
    for operation, fails, passed_s in events:
        now_s += passed_s
        lasted = not outage.is_over
        if fails:
            report = fail(outage, operation, now_s)
            assert (report is Report.FAILED) == (not lasted)
            last_failure_s, works_since_s = now_s, None
        else:
            works_since_s = now_s if works_since_s is None else works_since_s
            works = now_s - works_since_s >= MIN_WORKING_S
            ended = outage.record_success(operation, now_s)
            assert ended == (lasted and outage.is_over)
            assert not ended or (works and now_s - last_failure_s >= RECOVERY_S)
            assert not (lasted and works and now_s - last_failure_s >= MAX_RECOVERY_S) or ended
        assert outage.is_over == (outage.error == "")


@pytest.mark.parametrize("gap_s", [0.5, 4.0, 6.0, 11.0, 50.0])
@given(st.integers(0, 2**32))
def test_the_number_of_reports_of_a_flapping_queue_is_logarithmic(gap_s: float, seed: int) -> None:
    """However the failures lie in 21 minutes."""
    outage, reports, step_s = QueueOutage(), 0, gap_s / 10
    for step in range(int(1260 / step_s)):
        if (step * 2654435761 + seed) % 10 == 0:
            reports += fail(outage, "receive", step * step_s) is not Report.NOTHING
        else:
            reports += outage.record_success("receive", step * step_s)

    assert reports <= 16
