"""The estimate of the queue's time, from arrivals over any way."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.queue_time import MAX_LEAD_MS, MAX_SOURCES, WINDOW_MS, QueueTimeEstimate

OFFSET_MS = 1_700_000_000_000


def observe(estimate: QueueTimeEstimate, pillow: str, *, at: int, delay: int = 0) -> None:
    """Let a state arrive at `at` on the monotonic clock, `delay` after it was published."""
    estimate.observe(pillow, published_ms=at + OFFSET_MS - delay, arrival_ms=at)


@given(
    st.lists(
        st.tuples(st.sampled_from("abcde"), st.integers(0, 2000), st.integers(0, 4000)), min_size=1
    )
)
def test_the_shortest_way_counts(arrivals: list[tuple[str, int, int]]) -> None:
    """The estimate is behind the queue's time by the shortest delay of the last windows."""
    estimate = QueueTimeEstimate()
    at, delays = 0, []
    for pillow, passed, delay in arrivals:
        at += passed
        observe(estimate, pillow, at=at, delay=delay)
        delays.append((at, delay))
        assert estimate.offset_ms is not None
        behind = OFFSET_MS - estimate.offset_ms
        recent = [one for when, one in delays if at - when < WINDOW_MS]
        assert min(one for _, one in delays) <= behind <= min(recent)


def test_one_publisher_that_is_ahead_does_not_move_the_estimate() -> None:
    """Its states would make all others look old."""
    estimate = QueueTimeEstimate()
    for at in range(0, 10 * WINDOW_MS, 1000):
        observe(estimate, "a", at=at)
        observe(estimate, "liar", at=at, delay=-20 * MAX_LEAD_MS)

        assert estimate.offset_ms == OFFSET_MS or at == 0


def test_a_late_arrival_after_a_pause_does_not_move_the_estimate() -> None:
    """A machine that slept reads first what arrived meanwhile."""
    estimate = QueueTimeEstimate()
    observe(estimate, "a", at=0)
    observe(estimate, "a", at=3_600_000, delay=40_000)

    assert estimate.offset_ms == OFFSET_MS


def test_the_estimate_follows_a_clock_that_is_set_back() -> None:
    """Within two windows, because the samples from before do not count for longer."""
    estimate = QueueTimeEstimate()
    for at in range(0, 4 * WINDOW_MS, 1000):
        observe(estimate, "a", at=at, delay=0 if at < WINDOW_MS else 10_000)

    assert estimate.offset_ms == OFFSET_MS - 10_000


def test_the_samples_are_bounded() -> None:
    """However many ids somebody makes up."""
    estimate = QueueTimeEstimate()
    for number in range(1000):
        observe(estimate, f"p{number}", at=number)

    assert len(estimate._current) == MAX_SOURCES
