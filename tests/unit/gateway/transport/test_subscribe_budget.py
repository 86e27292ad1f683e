"""What a client may ask for again with `subscribe` messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.subscribe_budget import (
    BURST_S,
    FULL_SNAPSHOTS,
    MIN_COST_BYTES,
    NAME_COST_BYTES,
    SubscribeBudget,
)

RATE = 131_072

messages = st.lists(st.tuples(st.floats(0, 10), st.integers(0, 3_000_000)), min_size=1, max_size=60)


@given(messages, st.integers(0, 3_000_000), st.integers(1, 1 << 20))
def test_what_is_sent_is_bounded_by_the_burst_and_the_rate(
    messages: list[tuple[float, int]], fleet_bytes: int, rate: int
) -> None:
    """Over any period: the burst, what leaked since, and the last snapshot, which goes over it."""
    budget = SubscribeBudget(0.0)
    now_s, admitted, largest = 0.0, 0, MIN_COST_BYTES
    for pause_s, cost in messages:
        now_s += pause_s
        if budget.take(cost, fleet_bytes, rate, now_s):
            admitted += max(cost, MIN_COST_BYTES)
            largest = max(largest, cost)

    burst = max(BURST_S * rate, FULL_SNAPSHOTS * fleet_bytes)
    assert admitted <= burst + now_s * rate + largest + 1


@given(st.lists(st.integers(0, 500_000), max_size=50))
def test_a_client_below_the_rate_is_never_refused(costs: list[int]) -> None:
    """However long it goes on."""
    budget = SubscribeBudget(0.0)
    now_s = 0.0
    for cost in costs:
        assert budget.take(cost, 0, RATE, now_s)
        now_s += max(cost, MIN_COST_BYTES) / RATE


def test_a_client_may_ask_for_the_whole_of_a_large_fleet_a_few_times() -> None:
    """A snapshot may be larger than the burst."""
    budget = SubscribeBudget(0.0)
    taken = [budget.take(20_000_000, 20_000_000, RATE, 0.0) for _ in range(FULL_SNAPSHOTS + 1)]

    assert taken == [True] * FULL_SNAPSHOTS + [False]


def test_a_rate_of_zero_is_no_limit() -> None:
    """For a gateway that knows its clients."""
    budget = SubscribeBudget(0.0)

    assert all(budget.take(1 << 30, 0, 0, 0.0) for _ in range(1000))


def test_a_name_costs_something_whether_or_not_a_pillow_has_it() -> None:
    """A thousand names cost the rate of a second: the work is the same."""
    cost = 1000 * NAME_COST_BYTES

    assert cost == pytest.approx(RATE, rel=0.05)
