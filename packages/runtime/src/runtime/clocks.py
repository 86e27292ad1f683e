"""The clocks: the monotonic one measures durations, the wall clock is for display and order."""

import time
from typing import Final

_SINCE_BOOT: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)


def monotonic_s() -> float:
    """Return seconds of a clock that nobody sets.

    The time that the machine slept is included where the system measures it (Linux).
    """
    return time.monotonic() if _SINCE_BOOT is None else time.clock_gettime(_SINCE_BOOT)


def unix_ms() -> int:
    """Return this machine's wall clock in Unix milliseconds."""
    return time.time_ns() // 1_000_000
