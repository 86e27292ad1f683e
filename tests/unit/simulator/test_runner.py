"""The runner's clock: the stream's own time, or that of the wall clock."""

import time

from simulator.runner import StreamClock

START_US = 1_763_791_200_000_000


def test_with_a_start_the_time_depends_only_on_the_due_time() -> None:
    """At any speed, so that the same options give the same bytes."""
    for speed in (1.0, 60.0, None):
        assert StreamClock(START_US, speed)(2.5) == START_US + 2_500_000


def test_without_a_start_the_first_call_is_the_start_of_the_stream() -> None:
    """A due time is divided by the speed."""
    clock = StreamClock(None, 60.0)
    before_us = time.time_ns() // 1000
    start_us = clock(0.0)

    assert before_us <= start_us <= time.time_ns() // 1000
    assert clock(60.0) == start_us + 1_000_000


def test_without_a_speed_the_time_is_the_present() -> None:
    """Whatever the due time is."""
    before_us = time.time_ns() // 1000

    assert before_us <= StreamClock(None, None)(1e6) <= time.time_ns() // 1000
