"""What follows an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.deliver.retry_policy import (
    FIRST_RETRY_S,
    MAX_REFUSALS,
    MAX_RETRY_AFTER_S,
    Answer,
    Standing,
    Verdict,
    clock_hint,
    is_refusal,
    judge,
    parse_retry_after,
)

attempts = st.integers(1, 200)


def after(
    answer: Answer, attempt: int = 1, refusals: int = 0, left_s: float = 999, jitter: float = 1
) -> Verdict:
    """Return what follows an answer."""
    return judge(answer, Standing(attempt, refusals, left_s), retry_max_s=300, jitter=jitter)


jitters = st.floats(0, 1)


@given(st.integers(200, 299), attempts, st.floats(-1e6, 1e6), jitters)
def test_2xx_is_delivered(status: int, attempt: int, left_s: float, jitter: float) -> None:
    assert after(Answer(status), attempt, 9, left_s, jitter).kind == "delivered"


def test_410_ends_it() -> None:
    assert after(Answer(410)).kind == "gone"


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 413, 422])
def test_a_request_that_is_refused_as_it_is_ends_after_a_few_refusals(status: int) -> None:
    """A receiver that is just being deployed has time to come up; other failures do not count."""
    assert is_refusal(Answer(status))
    for refusals in range(1, MAX_REFUSALS):
        assert after(Answer(status), 100, refusals).kind == "retry"
    assert after(Answer(status), MAX_REFUSALS, MAX_REFUSALS).kind == "dead"


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
    verdict = after(Answer(status, "", asked_s), attempt, 0, left_s, jitter)

    assert not is_refusal(Answer(status))
    assert verdict.kind == "retry"
    assert verdict.after_s >= min(asked_s or 0, MAX_RETRY_AFTER_S)
    assert verdict.after_s <= max(300, min(asked_s or 0, MAX_RETRY_AFTER_S))
    assert after(Answer(status), attempt, 0, 0, jitter).kind == "dead"


def test_the_first_pause_is_short() -> None:
    """Each further one may be twice as long."""
    pauses = [after(Answer(500), attempt).after_s for attempt in range(1, 10)]

    assert pauses[:4] == [FIRST_RETRY_S, 4, 8, 16]
    assert pauses[-1] == 300


DATE = "Sun, 29 Nov 2026 15:00:00 GMT"
DATE_S = 1_795_964_400.0
"""The same as Unix seconds."""


@pytest.mark.parametrize(
    ("value", "date", "pause_s"),
    [
        (None, DATE, None),
        ("0", None, 0),
        (" 120 ", None, 120),
        ("Sun, 29 Nov 2026 15:02:00 GMT", DATE, 120),
        ("Sun, 29 Nov 2026 14:00:00 GMT", DATE, 0),
        ("Sun, 29 Nov 2026 15:02:00 GMT", None, 60),
        ("soon", DATE, None),
        ("-5", DATE, None),
        ("", DATE, None),
    ],
)
def test_a_point_in_time_is_compared_with_the_servers_own_clock(
    value: str | None, date: str | None, pause_s: float | None
) -> None:
    """This machine's, which may differ, only where the answer has no Date."""
    assert parse_retry_after(value, date, DATE_S + 60) == pause_s


def test_a_refusal_says_that_the_clocks_differ() -> None:
    """A receiver compares the time of the signature with its own."""
    assert clock_hint(DATE, DATE_S + 59) == ""
    assert clock_hint(DATE, DATE_S + 400) == "; this machine's clock is 400 s ahead of it"
    assert clock_hint(DATE, DATE_S - 400) == "; this machine's clock is 400 s behind it"
    assert clock_hint(None, 0) == clock_hint("soon", 0) == ""


@given(st.text(max_size=40), st.none() | st.text(max_size=40))
def test_any_header_is_a_pause_or_none(value: str, date: str | None) -> None:
    pause_s = parse_retry_after(value, date, DATE_S)
    assert pause_s is None or pause_s >= 0
