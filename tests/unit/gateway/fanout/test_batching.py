"""The pace of flushes, in simulated days of a process."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.fanout.batching import BUSY_THRESHOLD, LOAD_WINDOW_S, MAX_LINGER_S, AdaptiveLinger

costs = st.floats(0, 1)
steps = st.lists(st.tuples(costs, st.floats(0, 2), st.floats(0, 1)), max_size=30)


@given(steps)
def test_a_wait_is_bounded_whatever_happened(given: list[tuple[float, float, float]]) -> None:
    """By the longest there is, and by what the last flush cost."""
    now = cpu = 0.0
    pace = AdaptiveLinger(now, cpu)
    for cost, idle, share in given:
        now += cost + idle
        cpu += (cost + idle) * share
        pace.flushed(cost, now, cpu)
        assert 0 <= pace.wait_s <= min(MAX_LINGER_S, cost) + 1e-9


@given(steps)
def test_nobody_waits_while_the_process_has_time_to_spare(
    given: list[tuple[float, float, float]],
) -> None:
    """However expensive a flush is."""
    now = cpu = 0.0
    pace = AdaptiveLinger(now, cpu)
    for cost, idle, share in given:
        now += cost / BUSY_THRESHOLD * 1.001 + idle
        cpu += (cost + idle) * share * BUSY_THRESHOLD * 0.999
        pace.flushed(cost, now, cpu)
        assert pace.wait_s == 0


def test_a_process_that_is_kept_from_the_cpu_is_busy() -> None:
    """Its flushes take all of its time, though it uses little of the CPU."""
    pace = AdaptiveLinger(0, 0)
    for number in range(1, 30):
        pace.flushed(0.02, number * 0.021, number * 0.004)

    assert pace.wait_s > 0.01


@given(cost=st.floats(0.001, 0.04), less=st.floats(0.66, 0.99), more=st.floats(0.66, 1))
def test_the_busier_the_longer(cost: float, less: float, more: float) -> None:
    """And a flush that costs twice is waited for twice as long."""
    less, more = min(less, more), max(less, more)

    def wait_s(busy: float, cost_s: float) -> float:
        pace = AdaptiveLinger(0, 0)
        pace.flushed(cost_s, LOAD_WINDOW_S * 2, busy * LOAD_WINDOW_S * 2)
        return pace.wait_s

    assert wait_s(less, cost) <= wait_s(more, cost)
    assert abs(wait_s(more, cost) - min(MAX_LINGER_S, 2 * wait_s(more, cost / 2))) < 1e-9
    assert abs(wait_s(1, cost) - min(MAX_LINGER_S, cost)) < 1e-9


@given(
    cost_s=st.floats(0.001, 0.1),
    each_s=st.floats(0, 0.0001),
    rate=st.floats(1, 10_000),
)
def test_a_process_that_could_not_keep_up_keeps_up(
    cost_s: float, each_s: float, rate: float
) -> None:
    """Changes come at any rate, a flush costs what it costs: none waits much longer than a flush.

    `each_s` is what a change costs on its own, of which there is enough time.
    """
    if rate * each_s > 0.5:
        return
    now = cpu = 0.0
    pace = AdaptiveLinger(now, cpu)
    waiting_since, longest, flushes = 0.0, 0.0, 0
    while now < 5:
        wait_s = pace.wait_s
        took = cost_s + rate * (now + wait_s - waiting_since) * each_s
        now += wait_s + took
        cpu += took
        longest = max(longest, now - waiting_since)
        waiting_since = now - took
        if rate * took < 1:  # nothing came meanwhile: idle until something does
            now = waiting_since = now + 1 / rate
        pace.flushed(took, now, cpu)
        flushes += 1

    assert flushes > 0
    # A flush with all that came meanwhile costs at most twice what it would cost and was waited
    # for; a change may come at the beginning of one, and waits for the next to end.
    assert longest <= 2 * 2 * (cost_s + MAX_LINGER_S) + MAX_LINGER_S + 1 / rate
