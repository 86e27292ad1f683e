"""Backoff: bounded for any attempt, spread over its whole range, never a spin."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.backoff import Backoff

backoffs = st.tuples(st.floats(0.001, 10), st.floats(1, 100)).map(
    lambda drawn: Backoff(first_s=drawn[0], max_s=drawn[0] * drawn[1])
)
attempts = st.integers(0, 1_000_000)
chances = st.floats(0, 1)


@given(backoffs, attempts, chances)
def test_a_delay_is_between_a_twentieth_of_first_and_most(
    backoff: Backoff, attempt: int, chance: float
) -> None:
    """However many attempts came before."""
    assert backoff.first_s / 20 <= backoff.delay(attempt, chance) <= backoff.max_s


@given(backoffs, attempts, chances)
def test_the_range_of_delays_never_shrinks_with_further_attempts(
    backoff: Backoff, attempt: int, chance: float
) -> None:
    """And never more than twice it."""
    earlier, later = backoff.delay(attempt, chance), backoff.delay(attempt + 1, chance)

    assert earlier <= later <= 2 * earlier + 1e-9


@given(backoffs, attempts, chances, chances)
def test_a_larger_random_number_gives_a_longer_delay(
    backoff: Backoff, attempt: int, one: float, other: float
) -> None:
    """The whole range is used, so that many clients do not reconnect together."""
    low, high = sorted((one, other))

    assert backoff.delay(attempt, low) <= backoff.delay(attempt, high)


def test_the_range_of_delays_doubles_up_to_most() -> None:
    """An example in numbers."""
    backoff = Backoff(first_s=0.5, max_s=10)

    assert [backoff.delay(n, 1) for n in range(7)] == [0.5, 1, 2, 4, 8, 10, 10]
    assert [backoff.delay(n, 0.5) for n in range(3)] == [0.25, 0.5, 1]
    assert backoff.delay(1_000_000, 1) == 10
    assert backoff.delay(0, 0) == 0.025
