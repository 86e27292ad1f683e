"""What follows an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.deliver.retry_policy import (
    MAX_REFUSALS,
    MAX_RETRY_AFTER_S,
    Answer,
    judge,
    parse_retry_after,
)

attempts = st.integers(1, 200)
jitters = st.floats(0, 1)


@given(st.integers(200, 299), attempts, st.floats(-1e6, 1e6), jitters)
def test_2xx_is_delivered(status: int, attempt: int, left_s: float, jitter: float) -> None:
    verdict = judge(Answer(status), attempts=attempt, left_s=left_s, jitter=jitter)
    assert verdict.kind == "delivered"


def test_410_ends_it() -> None:
    assert judge(Answer(410), attempts=1, left_s=99, jitter=0).kind == "gone"


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 413, 422])
def test_a_request_that_is_refused_as_it_is_ends_after_a_few_attempts(status: int) -> None:
    """A receiver that is just being deployed has time to come up."""
    for attempt in range(1, MAX_REFUSALS):
        assert judge(Answer(status), attempts=attempt, left_s=999, jitter=1).kind == "retry"
    assert judge(Answer(status), attempts=MAX_REFUSALS, left_s=999, jitter=1).kind == "dead"


@given(
    st.sampled_from([None, 408, 425, 429, 500, 502, 503, 504]),
    attempts,
    st.floats(0.001, 1e6),
    jitters,
    st.none() | st.floats(0, 1e9),
)
def test_what_may_change_is_tried_until_the_time_is_up(
    status: int | None, attempt: int, left_s: float, jitter: float, asked_s: float | None
) -> None:
    """The pause is bounded, and as long as the answer asks for."""
    verdict = judge(Answer(status, "", asked_s), attempts=attempt, left_s=left_s, jitter=jitter)

    assert verdict.kind == "retry"
    assert verdict.after_s >= min(asked_s or 0, MAX_RETRY_AFTER_S)
    assert verdict.after_s <= max(300, min(asked_s or 0, MAX_RETRY_AFTER_S))
    assert judge(Answer(status), attempts=attempt, left_s=0, jitter=jitter).kind == "dead"


DATE = "Sun, 29 Nov 2026 15:00:00 GMT"


@pytest.mark.parametrize(
    ("value", "date", "pause_s"),
    [
        (None, DATE, None),
        ("0", None, 0),
        (" 120 ", None, 120),
        ("Sun, 29 Nov 2026 15:02:00 GMT", DATE, 120),
        ("Sun, 29 Nov 2026 14:00:00 GMT", DATE, 0),
        ("Sun, 29 Nov 2026 15:02:00 GMT", None, None),
        ("soon", DATE, None),
        ("-5", DATE, None),
        ("", DATE, None),
    ],
)
def test_a_point_in_time_is_compared_with_the_servers_own_clock(
    value: str | None, date: str | None, pause_s: float | None
) -> None:
    """This machine's may differ."""
    assert parse_retry_after(value, date) == pause_s


@given(st.text(max_size=40), st.none() | st.text(max_size=40))
def test_any_header_is_a_pause_or_none(value: str, date: str | None) -> None:
    pause_s = parse_retry_after(value, date)
    assert pause_s is None or pause_s >= 0
