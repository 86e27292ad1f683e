"""The leaky bucket: never more than its share, and never a longer wait than needed."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.cpu_budget import BURST_S, CPU_SHARE, LeakyBucket

arrivals = st.lists(st.tuples(st.floats(0, 0.05), st.floats(0, 1)), max_size=50)
"""The cost of each, and the idle time before it, in seconds."""


@given(arrivals)
def test_the_cpu_share_is_never_exceeded_by_more_than_the_burst(
    given: list[tuple[float, float]],
) -> None:
    """And by the last cost, which is not known before."""
    now = spent = 0.0
    bucket = LeakyBucket(now)
    for cost, idle in given:
        now += idle
        if bucket.wait_s(now) == 0:
            assert spent <= now * CPU_SHARE + BURST_S + 1e-9
            bucket.charge(cost)
            now += cost
            spent += cost


@given(arrivals)
def test_after_the_wait_there_is_budget_and_not_before(given: list[tuple[float, float]]) -> None:
    """The wait is exact."""
    now = 0.0
    bucket = LeakyBucket(now)
    for cost, idle in given:
        bucket.charge(cost)
        now += idle
        wait = bucket.wait_s(now)
        if wait > 1e-6:
            assert bucket.wait_s(now + wait / 2) > 0
        assert bucket.wait_s(now + wait) < 1e-9


def test_work_below_the_share_never_waits() -> None:
    """A thousand messages of 0.1 ms each, evenly over a second."""
    bucket = LeakyBucket(0)
    for number in range(1000):
        assert bucket.wait_s(number / 1000) == 0
        bucket.charge(0.0001)
