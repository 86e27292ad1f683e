"""The monotonic clock: it only advances, at the rate of the system's own."""

import time

from runtime.clocks import monotonic_s


def test_the_clock_advances_with_the_monotonic_one() -> None:
    """By the same amount while the machine does not sleep."""
    before_s, started_s = monotonic_s(), time.monotonic()
    while time.monotonic() - started_s < 0.01:
        pass
    after_s, elapsed_s = monotonic_s(), time.monotonic() - started_s

    assert 0.01 <= after_s - before_s <= elapsed_s + 0.01
