"""Share: what browsers say never takes more than its share of the time, and is taken in at last."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.cpu_budget import BURST_S, CPU_SHARE, LeakyBucket

words = st.lists(st.tuples(st.floats(0, 0.05), st.floats(0, 1)), max_size=50)
"""What each costs, and after how long it comes, in seconds."""


@given(words)
def test_no_more_than_its_share_is_spent(given: list[tuple[float, float]]) -> None:
    """But for a burst at the beginning, and what came last."""
    now = spent = 0.0
    bucket = LeakyBucket(now)
    for cost, idle in given:
        now += idle
        if bucket.wait_s(now) == 0:
            assert spent <= now * CPU_SHARE + BURST_S + 1e-9
            bucket.charge(cost)
            now += cost
            spent += cost


@given(words)
def test_who_waits_as_long_as_it_is_told_is_heard(given: list[tuple[float, float]]) -> None:
    """And need not have waited for any shorter."""
    now = 0.0
    bucket = LeakyBucket(now)
    for cost, idle in given:
        bucket.charge(cost)
        now += idle
        wait = bucket.wait_s(now)
        if wait > 1e-6:
            assert bucket.wait_s(now + wait / 2) > 0
        assert bucket.wait_s(now + wait) < 1e-9


def test_what_is_cheap_never_waits() -> None:
    """A thousand requests of a tenth of a millisecond each, evenly over a second."""
    bucket = LeakyBucket(0)
    for number in range(1000):
        assert bucket.wait_s(number / 1000) == 0
        bucket.charge(0.0001)
