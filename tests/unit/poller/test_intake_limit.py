"""The intake limit: what half a lease can delete at the measured rate."""

import heapq
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_queue.service import PAGE_SIZE
from poller.intake_limit import FIRST_LIMIT, MIN_LIMIT, IntakeLimit

MAXIMUM = 256


def limit_after(lease_s: float, requests_a_second: float, *, deletions: int = 500) -> int:
    """Return the limit when a service that answers one request after the other deletes."""
    limit = IntakeLimit(lease_s, MAXIMUM)
    limit.begin(100.0)
    for number in range(1, deletions + 1):
        limit.record(100.0 + number / requests_a_second, answered=True)
    return limit.messages


def test_before_a_request_is_measured_two_pages_may_be_in_flight() -> None:
    """Their number is a guess, because nothing is known of the service."""
    limit = IntakeLimit(30, MAXIMUM)

    assert (limit.messages, limit.page_size) == (FIRST_LIMIT, PAGE_SIZE)


@pytest.mark.parametrize(
    ("lease_s", "took_s", "messages"), [(2, 1 / 60, 60), (30, 0.01, 256), (30, 1.0, MIN_LIMIT)]
)
def test_until_a_deletion_is_measured_it_is_expected_to_take_as_long_as_a_receive(
    lease_s: float, took_s: float, messages: int
) -> None:
    """The fastest one, because the first opens the connection."""
    limit = IntakeLimit(lease_s, MAXIMUM)
    limit.record_receive(took_s)
    limit.record_receive(took_s * 5)

    assert limit.messages == messages


def test_60_requests_a_second_and_a_lease_of_2_s_allow_60_messages() -> None:
    """Deletions of 60 messages take a second, half of the lease."""
    assert 55 <= limit_after(2, 60) <= 60


def test_many_answers_at_once_count_like_many_one_after_the_other() -> None:
    """64 deletions at once that take a second each are 64 a second."""
    limit = IntakeLimit(4, MAXIMUM)
    limit.begin(0.0)
    for second in range(1, 30):
        for _ in range(64):
            limit.record(float(second), answered=True)

    assert 100 <= limit.messages <= 200


def test_refused_deletions_take_their_time_and_count_as_none() -> None:
    """A service that answers 503 to three of four requests deletes a quarter of them."""
    limit = IntakeLimit(2, MAXIMUM)
    limit.begin(0.0)
    for number in range(1, 2001):
        limit.record(number / 240, answered=number % 4 == 0)

    assert 50 <= limit.messages <= 61


def test_time_in_which_no_message_waits_does_not_count() -> None:
    """A poller that has one message an hour may receive a full page."""
    limit = IntakeLimit(30, MAXIMUM)
    for hour in range(1, 10):
        limit.begin(hour * 3600.0)
        limit.record(hour * 3600.0 + 0.01, answered=True)

    assert limit.messages == MAXIMUM


@given(
    st.lists(st.tuples(st.floats(0, 1e5), st.booleans()), max_size=50),
    st.floats(2, 604_800),
    st.floats(0, 1e6),
)
def test_the_limit_stays_in_its_bounds_and_two_pages_fit(
    deletions: list[tuple[float, bool]], lease_s: float, begun_s: float
) -> None:
    """Whatever is measured, also on a clock that stands still or is set back."""
    limit = IntakeLimit(lease_s, MAXIMUM)
    limit.begin(begun_s)
    for now_s, answered in deletions:
        limit.record(now_s, answered=answered)

        assert MIN_LIMIT <= limit.messages <= MAXIMUM
        assert 1 <= limit.page_size <= PAGE_SIZE
        assert 2 * limit.page_size <= limit.messages


@given(st.floats(2, 60), st.floats(0.5, 2000))
def test_the_limit_is_what_half_a_lease_deletes(lease_s: float, requests_a_second: float) -> None:
    """With a service that answers one request after the other, whatever its rate."""
    expected = min(MAXIMUM, max(MIN_LIMIT, lease_s / 2 * requests_a_second))

    assert abs(limit_after(lease_s, requests_a_second) - expected) <= 1 + expected * 0.02


@given(st.integers(1, 64), st.floats(0.001, 1.0), st.integers(0, 2**32))
def test_concurrent_deletions_of_varying_duration_are_measured_by_their_rate(
    concurrent: int, mean_s: float, seed: int
) -> None:
    """The limit is between half and twice of what half a lease deletes."""
    lease_s, random = 30 * mean_s, Random(seed)
    limit = IntakeLimit(lease_s, 10**6)
    limit.begin(0.0)
    ends = [random.uniform(0, 2 * mean_s) for _ in range(concurrent)]
    heapq.heapify(ends)
    for _ in range(40 * concurrent):
        now_s = heapq.heappop(ends)
        limit.record(now_s, answered=True)
        heapq.heappush(ends, now_s + random.uniform(0, 2 * mean_s))

    expected = concurrent / mean_s * lease_s / 2
    assert max(MIN_LIMIT, expected / 2) <= limit.messages <= max(MIN_LIMIT, expected * 2)
