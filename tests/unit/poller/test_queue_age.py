"""The age of the queue: what is reported, and how often."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from contract.queue_report import QueueReport
from poller.queue_age import CROSSING_S, INTERVAL_S, RENEWAL_S, QueueAge, QueueReportSchedule

seconds = st.floats(0, 1e6)


@given(seconds, seconds, seconds, st.booleans())
def test_the_oldest_is_that_of_the_last_page_or_in_flight(
    waited_s: float, unsettled_s: float, elapsed_s: float, answers: bool
) -> None:
    """While the queue does not answer, the time since its last answer is added."""
    age = QueueAge(0.0)
    age.record_page(waited_s, 100.0)

    report = age.report(100.0 + elapsed_s, unsettled_s, answers=answers)

    expected = waited_s if answers else waited_s + (100.0 + elapsed_s - 100.0)
    assert report == QueueReport(int(max(expected, unsettled_s)), answers)


@given(seconds, seconds)
def test_a_page_tells_nothing_of_the_time_after_its_request(waited_s: float, took_s: float) -> None:
    """Its answer may be late, and what came to the queue meanwhile is not on it."""
    age = QueueAge(0.0)
    age.record_page(waited_s, 2e6, took_s)

    assert age.received_until_s <= 2e6 - took_s
    assert age.received_until_s <= 2e6 - waited_s


def test_an_empty_page_ends_the_waiting() -> None:
    """And so does the queue's answer after an outage."""
    age = QueueAge(0.0)
    age.record_page(90.0, 10.0)
    age.record_page(0.0, 11.0)

    assert age.report(500.0, 0.0, answers=True) == QueueReport(0)
    assert age.report(500.0, 0.0, answers=False) == QueueReport(489, answers=False)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.floats(0, 30)), max_size=60))
def test_the_rate_of_reports_is_bounded(steps: list[tuple[int, bool, float]]) -> None:
    """Nothing is published twice within a second, and no growing age within ten."""
    schedule, now_s = QueueReportSchedule(), 0.0
    published: list[tuple[QueueReport, float]] = []
    for oldest_s, answers, pause_s in steps:
        now_s += pause_s
        report = QueueReport(oldest_s, answers)
        if schedule.is_due(report, now_s):
            schedule.record(report, now_s)
            published.append((report, now_s))

    for (before, before_s), (after, after_s) in pairwise(published):
        assert after_s - before_s >= CROSSING_S
        if before.answers == after.answers and bool(before.oldest_s) == bool(after.oldest_s):
            assert after_s - before_s >= INTERVAL_S


def test_a_report_that_does_not_change_is_repeated_once_a_day() -> None:
    """And at once on another connection, whose broker may have lost it."""
    schedule = QueueReportSchedule()
    assert schedule.is_due(QueueReport(0), 5.0)
    schedule.record(QueueReport(0), 5.0)

    assert not schedule.is_due(QueueReport(0), 5.0 + RENEWAL_S - 1)
    assert schedule.is_due(QueueReport(0), 5.0 + RENEWAL_S)
    schedule.forget()
    assert schedule.is_due(QueueReport(0), 6.0)
