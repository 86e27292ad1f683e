"""The linger before a flush, in simulated days of a process."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.fanout.batching import BUSY_THRESHOLD, LOAD_WINDOW_S, MAX_LINGER_S, AdaptiveLinger

costs = st.floats(0, 1)
steps = st.lists(st.tuples(costs, st.floats(0, 2), st.floats(0, 1)), max_size=30)


@given(steps)
def test_the_linger_is_at_most_max_linger_s_and_the_last_flush(
    given: list[tuple[float, float, float]],
) -> None:
    """Whatever happened before."""
    now = cpu = 0.0
    linger = AdaptiveLinger(now, cpu)
    for cost, idle, share in given:
        now += cost + idle
        cpu += (cost + idle) * share
        linger.record_flush(cost, now, cpu)
        assert 0 <= linger.linger_s <= min(MAX_LINGER_S, cost) + 1e-9


@given(steps)
def test_there_is_no_linger_up_to_the_busy_threshold(
    given: list[tuple[float, float, float]],
) -> None:
    """However expensive a flush is."""
    now = cpu = 0.0
    linger = AdaptiveLinger(now, cpu)
    for cost, idle, share in given:
        now += cost / BUSY_THRESHOLD * 1.001 + idle
        cpu += (cost + idle) * share * BUSY_THRESHOLD * 0.999
        linger.record_flush(cost, now, cpu)
        assert linger.linger_s == 0


def test_a_process_that_is_kept_from_the_cpu_counts_as_busy() -> None:
    """Its flushes take all of its time, though it uses little CPU."""
    linger = AdaptiveLinger(0, 0)
    for number in range(1, 30):
        linger.record_flush(0.02, number * 0.021, number * 0.004)

    assert linger.linger_s > 0.01


@given(cost=st.floats(0.001, 0.04), less=st.floats(0.66, 0.99), more=st.floats(0.66, 1))
def test_the_linger_grows_with_the_load_and_with_the_cost_of_a_flush(
    cost: float, less: float, more: float
) -> None:
    """In proportion to the cost, up to `MAX_LINGER_S`."""
    less, more = min(less, more), max(less, more)

    def linger_s(load: float, cost_s: float) -> float:
        linger = AdaptiveLinger(0, 0)
        linger.record_flush(cost_s, LOAD_WINDOW_S * 2, load * LOAD_WINDOW_S * 2)
        return linger.linger_s

    assert linger_s(less, cost) <= linger_s(more, cost)
    assert abs(linger_s(more, cost) - min(MAX_LINGER_S, 2 * linger_s(more, cost / 2))) < 1e-9
    assert abs(linger_s(1, cost) - min(MAX_LINGER_S, cost)) < 1e-9


@given(
    cost_s=st.floats(0.001, 0.1),
    each_s=st.floats(0, 0.0001),
    rate=st.floats(1, 10_000),
)
def test_an_overloaded_process_keeps_up(cost_s: float, each_s: float, rate: float) -> None:
    """At any rate of changes and any cost of a flush, no change waits much longer than a flush.

    `each_s` is what a change costs by itself; the process has enough time for that.
    """
    if rate * each_s > 0.5:
        return
    now = cpu = 0.0
    linger = AdaptiveLinger(now, cpu)
    waiting_since, longest, flushes = 0.0, 0.0, 0
    while now < 5:
        linger_s = linger.linger_s
        took = cost_s + rate * (now + linger_s - waiting_since) * each_s
        now += linger_s + took
        cpu += took
        longest = max(longest, now - waiting_since)
        waiting_since = now - took
        if rate * took < 1:  # no change arrived meanwhile: idle until one does
            now = waiting_since = now + 1 / rate
        linger.record_flush(took, now, cpu)
        flushes += 1

    assert flushes > 0
    # A flush with all that arrived meanwhile costs at most twice as much as one alone, and was
    # waited for; a change that arrives when a flush starts waits for the next one to end.
    assert longest <= 2 * 2 * (cost_s + MAX_LINGER_S) + MAX_LINGER_S + 1 / rate
