"""When an outage of a dependency begins, when it is over, and what to report of it. Pure.

One outage has one beginning and one end, however often the dependency works in between.
"""

from enum import Enum
from typing import Final

RECOVERY_S: Final = 5.0
"""How long nothing may have failed until an outage is over, in seconds. Without this time, what
fails every other time would begin and end an outage with each pair."""

MAX_RECOVERY_S: Final = 300.0
"""The most of RECOVERY_S, which doubles with each outage that begins soon after the last one."""

REMINDER_S: Final = 900.0
"""How often an outage that lasts is reported again, in seconds."""


class Report(Enum):
    """What to report of a failure."""

    NOTHING = "nothing"
    FAILED = "failed"
    STILL_FAILS = "still fails"


class Outage:
    """One outage after the other. Times are arguments, in seconds of one monotonic clock."""

    def __init__(self) -> None:
        self.is_over = True
        """Whether there is no outage now."""
        self.failures = 0
        """The number of failures in this outage, or in the last one."""
        self.recovery_s = RECOVERY_S
        """How long nothing may have failed until this outage is over, in seconds."""
        self._began_s = self._ended_s = self._reported_s = self._failed_s = 0.0

    def lasted_s(self, now_s: float) -> float:
        """Return how long the outage lasts, or lasted until it ended at `now_s`."""
        return now_s - self._began_s

    def record_failure(self, now_s: float, *, is_news: bool = False) -> Report:
        """Record a failure; returns what to report. `is_news` reports it in an outage, too."""
        is_new = self.is_over
        if is_new:
            self._begin(now_s)
        self.failures += 1
        self._failed_s = now_s
        is_due = now_s - self._reported_s >= REMINDER_S
        if is_new or is_news or is_due:
            self._reported_s = now_s
        return (
            Report.FAILED if is_new or is_news else Report.STILL_FAILS if is_due else Report.NOTHING
        )

    def prolong(self, now_s: float) -> None:
        """Record that the last failure has lasted until now."""
        self._failed_s = now_s

    def record_success(self, now_s: float) -> bool:
        """Record a success; returns whether the outage ends with it."""
        if self.is_over or now_s - self._failed_s < self.recovery_s:
            return False
        self.end(now_s)
        return True

    def end(self, now_s: float) -> None:
        """End the outage."""
        self.is_over = True
        self._ended_s = now_s

    def _begin(self, now_s: float) -> None:
        is_soon = self._ended_s > 0 and now_s - self._ended_s < MAX_RECOVERY_S
        self.recovery_s = min(MAX_RECOVERY_S, self.recovery_s * 2) if is_soon else RECOVERY_S
        self.is_over = False
        self._began_s = self._reported_s = now_s
        self.failures = 0
