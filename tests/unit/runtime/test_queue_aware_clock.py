"""The gateway's clocks."""

import time

from contract.updates import EXPIRY_S, Update
from runtime.clocks import unix_ms
from runtime.queue_aware_clock import LIVE_STATE_MS, Clock, monotonic_ms

YEAR_2023_MS = 1_700_000_000_000


class Times:
    """A wall clock and a monotonic clock that tests set."""

    def __init__(self, wall_ms: int) -> None:
        self.wall_ms, self.monotonic_ms = wall_ms, 5_000
        self.clock = Clock(lambda: self.wall_ms, lambda: self.monotonic_ms)


def test_the_wall_clock_is_in_unix_milliseconds() -> None:
    """Seconds or microseconds would be out of this range."""
    assert YEAR_2023_MS < unix_ms() < 10_000_000_000_000


def test_the_monotonic_clock_is_in_milliseconds() -> None:
    """It runs at the rate of the process's own monotonic clock."""
    began_ms, began_s = monotonic_ms(), time.monotonic()
    while time.monotonic() - began_s < 0.02:
        pass

    assert 19 <= monotonic_ms() - began_ms <= 1000


def test_a_wall_clock_that_was_set_back_does_not_move_the_reference() -> None:
    """Else states would be refused as ahead."""
    times = Times(YEAR_2023_MS)
    times.wall_ms -= 3_600_000
    times.monotonic_ms += 10

    assert times.clock.read().reference_ms == YEAR_2023_MS + 10


def test_a_wall_clock_that_is_corrected_is_the_reference() -> None:
    """It was behind when the process began."""
    times = Times(YEAR_2023_MS)
    times.wall_ms += 3_600_000

    assert times.clock.read().reference_ms == YEAR_2023_MS + 3_600_000


def test_a_clock_that_was_never_set_judges_nobody() -> None:
    """A machine without a battery begins in 1970."""
    assert Times(60_000).clock.read().reference_ms is None


def test_the_queues_time_is_the_reference_where_it_is_known() -> None:
    """The offset is what has to be added to the wall clock."""
    times = Times(60_000)
    assert times.clock.read().queue_offset_ms is None
    times.clock.queue_time.observe("a", published_ms=YEAR_2023_MS, arrival_ms=5_000)
    times.monotonic_ms += 10

    assert times.clock.read().reference_ms == times.clock.read().queue_ms == YEAR_2023_MS + 10
    assert times.clock.read().queue_offset_ms == YEAR_2023_MS + 10 - 60_000


def retained(times: Times, published_ms: int, left_s: int | None) -> None:
    """Receive a retained state of a poller, of whose expiry this is left."""
    update = Update("a", "hugging", (0, 0), b"", None, published_ms)
    times.clock.observe(update, times.clock.read(), left_s, retained=True)


def test_a_retained_state_tells_the_time_by_what_is_left_of_its_expiry() -> None:
    """Less exactly than a live one, so that it is no time to compare hops with."""
    times = Times(YEAR_2023_MS + 7_200_000)
    assert not times.clock.is_settled
    for left_s in (None, EXPIRY_S):
        retained(times, YEAR_2023_MS - 60_000, left_s)
        assert times.clock.read().reference_ms == YEAR_2023_MS + 7_200_000
    retained(times, YEAR_2023_MS - 60_000, EXPIRY_S - 60)

    assert times.clock.read().reference_ms == YEAR_2023_MS
    assert times.clock.read().queue_ms is None
    assert times.clock.is_settled
    live = Update("a", "hugging", (0, 0), b"", None, YEAR_2023_MS + 500)
    times.clock.observe(live, times.clock.read(), None, retained=False)
    assert times.clock.read().reference_ms == YEAR_2023_MS + 500


def test_the_time_settles_with_the_retained_states_or_with_a_live_one_a_minute_later() -> None:
    """A minute is waited for only where there are pollers."""
    without, with_pollers = Times(YEAR_2023_MS), Times(YEAR_2023_MS)
    for times in (without, with_pollers):
        times.monotonic_ms += 1_000_000
        assert not times.clock.is_settled
    without.clock.settle(has_pollers=False)
    assert without.clock.is_settled
    with_pollers.clock.settle(has_pollers=True)
    with_pollers.monotonic_ms += LIVE_STATE_MS - 1
    with_pollers.clock.settle(has_pollers=True)  # another connection
    assert not with_pollers.clock.is_settled
    with_pollers.monotonic_ms += 1
    assert with_pollers.clock.is_settled
