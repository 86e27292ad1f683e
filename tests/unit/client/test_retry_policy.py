"""When the next attempt is made."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillowcast.backoff import MAX_DELAY_MS, MIN_DELAY_MS, backoff, delay_within
from pillowcast.retry_policy import (
    FINAL_CODES,
    MAX_ASKED_MS,
    TOO_MANY_DELAY_MS,
    TOO_MANY_REQUESTS,
    TRY_AGAIN_LATER,
    RetryPolicy,
)

RANDOM = st.floats(0, 1, exclude_max=True)


@given(st.integers(0, 10**9), RANDOM)
def test_a_delay_is_within_its_bounds(attempt: int, random: float) -> None:
    """However many attempts have failed."""
    assert MIN_DELAY_MS <= backoff(attempt, random) <= MAX_DELAY_MS


@given(st.integers(0, 40), RANDOM)
def test_a_later_attempt_has_no_narrower_window(attempt: int, random: float) -> None:
    """The window doubles up to its limit."""
    assert backoff(attempt, random) <= backoff(attempt + 1, random)


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=2).map(sorted), RANDOM)
def test_goodbye_has_the_next_word(window: list[float], random: float) -> None:
    """Once: the window is that of the connection that said it."""
    policy = RetryPolicy()
    policy.start_attempt()
    policy.set_reconnect_window((window[0], window[1]))

    assert policy.fail(1012, random) == delay_within((window[0], window[1]), random)
    policy.start_attempt()
    assert MIN_DELAY_MS <= policy.fail(None, random) <= MAX_DELAY_MS


@given(st.integers(0, 20), RANDOM, st.none() | st.floats())
def test_what_a_server_asks_is_added_and_limited(
    failed: int, random: float, asked: float | None
) -> None:
    """Also an infinite time, a negative one, or none at all."""
    policy = RetryPolicy()
    for _ in range(failed):
        policy.fail(None, random)

    delay = policy.fail(None, random, asked)

    assert math.isfinite(delay)
    more = 0 if asked is None or math.isnan(asked) else max(0, min(asked, MAX_ASKED_MS))
    assert MIN_DELAY_MS + more <= delay <= MAX_DELAY_MS + more


@given(RANDOM)
def test_too_many_requests_are_later(random: float) -> None:
    """Half a minute at least; and the code is not final."""
    policy = RetryPolicy()

    assert not policy.is_final(TOO_MANY_REQUESTS)
    assert policy.fail(TOO_MANY_REQUESTS, random) >= TOO_MANY_DELAY_MS


def test_a_full_gateway_draws_from_a_wide_window() -> None:
    """It refuses many at once."""
    assert RetryPolicy().fail(TRY_AGAIN_LATER, 0.999) > RetryPolicy().fail(None, 0.999)


def test_a_stable_connection_counts_from_0() -> None:
    """The next outage is another one."""
    policy = RetryPolicy()
    first = policy.fail(None, 0.9)
    assert policy.fail(None, 0.9) > first

    policy.reset_attempts()

    assert policy.fail(None, 0.9) == first


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006, 1012, 1013, 4429])
def test_other_codes_are_not_final(code: int | None) -> None:
    """A proxy's close is none of the gateway's."""
    assert not RetryPolicy().is_final(code)


def test_final_codes_are_those_of_the_javascript_client() -> None:
    """And of the wire format's table."""
    assert {4400, 4401, 4403, 4408} == FINAL_CODES
