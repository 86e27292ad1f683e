"""Batching: how long changes wait for the next flush, so that many share an expensive one. Pure.

A flush costs a write for each subscriber, whatever the write carries.
While the process has time to spare, each change is flushed at once.
Above `BUSY_THRESHOLD` a change waits in proportion to what the last flush cost, the longer the
busier the process is: changes that arrive meanwhile share the flush, which makes the process less
busy again.
"""

from typing import Final

BUSY_THRESHOLD: Final = 0.65
"""The load, of 1, up to which no change waits."""

MAX_LINGER_S: Final = 0.05
"""The longest that a change waits, in seconds, however expensive a flush is."""

LOAD_WINDOW_S: Final = 0.25
"""The shortest period over which the load is measured, in seconds."""


class AdaptiveLinger:
    """How long the next flush waits for more changes.

    `now_s` is a monotonic clock, `cpu_s` the CPU time of the thread without that of work which is
    limited to a share of its own, both in seconds: requests that are answered with time to spare
    are no reason to let updates wait.
    The load is the larger of the share of CPU time and the share of time spent in flushes: other
    processes may keep this one from the CPU.
    """

    def __init__(self, now_s: float, cpu_s: float) -> None:
        self._window_start_s, self._window_cpu_s = now_s, cpu_s
        self._last_flush_s = 0.0
        self._flushing_s = 0.0
        self._load = 0.0

    @property
    def linger_s(self) -> float:
        """How long a change that arrives now waits for others, in seconds."""
        if self._load <= BUSY_THRESHOLD:
            return 0.0
        excess = (self._load - BUSY_THRESHOLD) / (1.0 - BUSY_THRESHOLD)
        return min(MAX_LINGER_S, self._last_flush_s * excess)

    def record_flush(self, duration_s: float, now_s: float, cpu_s: float) -> None:
        """Record that a flush took `duration_s` until the system had all of its bytes."""
        self._last_flush_s = duration_s
        self._flushing_s += duration_s
        elapsed_s = now_s - self._window_start_s
        if elapsed_s >= LOAD_WINDOW_S:
            busy_s = max(cpu_s - self._window_cpu_s, self._flushing_s)
            self._load = min(1.0, busy_s / elapsed_s)
            self._window_start_s, self._window_cpu_s, self._flushing_s = now_s, cpu_s, 0.0
