"""Batching: how long changes wait for the next flush, so that many share an expensive one. Pure.

A flush costs a write for each browser, whatever it carries.
While the process has time to spare every change is flushed at once.
From then on a change waits in proportion to what the last flush cost, the longer the busier the
process is: what arrives meanwhile shares the flush, which makes the process less busy again.
"""

from typing import Final

BUSY_THRESHOLD: Final = 0.65
"""How busy the process may be, of 1, before a change waits at all."""

MAX_LINGER_S: Final = 0.05
"""The longest that a change waits, however expensive a flush is, in seconds."""

LOAD_WINDOW_S: Final = 0.25
"""Over how long it is measured how busy the process is, in seconds, at least."""


class AdaptiveLinger:
    """When the next flush may be.

    Times are the clock's and the thread's CPU time, in seconds; both only ever grow.
    A process that others keep from the CPU is busy, too: as much as flushes take of its time.
    """

    def __init__(self, now_s: float, cpu_s: float) -> None:
        self._since_s, self._cpu_s = now_s, cpu_s
        self._cost_s = 0.0
        self._flushing_s = 0.0
        self._busy = 0.0

    @property
    def wait_s(self) -> float:
        """How long a change that arrives now waits for company, in seconds."""
        if self._busy <= BUSY_THRESHOLD:
            return 0.0
        return min(
            MAX_LINGER_S, self._cost_s * (self._busy - BUSY_THRESHOLD) / (1.0 - BUSY_THRESHOLD)
        )

    def flushed(self, cost_s: float, now_s: float, cpu_s: float) -> None:
        """Take in that a flush took `cost_s` until all was handed to the system."""
        self._cost_s = cost_s
        self._flushing_s += cost_s
        elapsed_s = now_s - self._since_s
        if elapsed_s >= LOAD_WINDOW_S:
            spent_s = max(cpu_s - self._cpu_s, self._flushing_s)
            self._busy = min(1.0, spent_s / elapsed_s)
            self._since_s, self._cpu_s, self._flushing_s = now_s, cpu_s, 0.0
