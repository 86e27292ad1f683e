"""Loop budget: how much of the event loop's time a kind of work may take.

It is a share of the time, which may be saved up, and a slice of each turn of the loop: everything
else that is due, such as updates, waits for one slice at most.
"""

import asyncio
import time

from gateway.transport.cpu_budget import LeakyBucket


class LoopBudget:
    """The budget of one kind of work."""

    def __init__(self, share: float, burst_s: float, slice_s: float) -> None:
        """`burst_s` of the share may be saved up; with a `slice_s` of 0 a turn has one piece."""
        self._bucket = LeakyBucket(time.monotonic(), share, burst_s)
        self._slice_s = slice_s
        self._used_s: float | None = None  # in this turn of the loop
        self.total_s = 0.0
        """How long was worked until now, in seconds."""

    @property
    def may_work(self) -> bool:
        """Whether a piece of work may be done now."""
        is_fresh = self._used_s is None or self._used_s < self._slice_s
        return is_fresh and self.has_share

    @property
    def has_share(self) -> bool:
        """Whether the share is not used up, whatever was done in this turn of the loop."""
        return self.wait_s == 0

    @property
    def wait_s(self) -> float:
        """How long to wait before the next piece of work; 0 for the next turn of the loop."""
        return self._bucket.wait_s(time.monotonic())

    def charge(self, cost_s: float) -> None:
        """Charge the time that a piece of work has taken, in seconds."""
        self._bucket.charge(cost_s)
        self.total_s += cost_s
        if self._used_s is None:
            self._used_s = 0.0
            asyncio.get_running_loop().call_soon(self._start_turn)
        self._used_s += cost_s

    def _start_turn(self) -> None:
        self._used_s = None
