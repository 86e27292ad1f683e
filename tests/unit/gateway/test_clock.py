"""The gateway's clocks."""

import time

from gateway.clock import Clock, monotonic_ms
from runtime.clocks import unix_ms

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
