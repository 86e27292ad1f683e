"""Whether the queue is in an outage: which operations fail, from when, and until when. Pure.

One outage has one beginning and one end, whichever operations fail in it and however often some
requests succeed between failures.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

RECOVERY_S: Final = 5.0
"""How long no request of an operation may have failed until it works again, in seconds. Without
this time, a queue that fails every other request would begin and end an outage with each pair."""

MAX_RECOVERY_S: Final = 300.0
"""The most of RECOVERY_S, which doubles with each outage that begins soon after the last one."""

UNUSED_RECOVERY_S: Final = 60.0
"""The same for an operation that did not succeed since, in seconds, because no message needs it any
more. It is longer than the delay before a failed operation is repeated."""

REMINDER_S: Final = 900.0
"""How often an outage that lasts is reported again, in seconds."""


class Report(Enum):
    """What to report of a failure."""

    NOTHING = "nothing"
    FAILED = "failed"
    STILL_FAILS = "still fails"


@dataclass(slots=True)
class _FailingOperation:
    error: str
    last_failure_s: float
    has_succeeded: bool = False


class QueueOutage:
    """The failing operations. Times are arguments, in seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._failing: dict[str, _FailingOperation] = {}
        self._denied: set[str] = set()
        """The denied operations that this outage was reported for."""
        self._began_s = 0.0
        self._ended_s = 0.0
        self._reported_s = 0.0
        self._recovery_s = RECOVERY_S
        self.failures = 0
        """The number of failures in this outage, or in the last one."""

    @property
    def is_over(self) -> bool:
        """Whether no operation fails."""
        return not self._failing

    @property
    def error(self) -> str:
        """The operation that failed first and its last error; empty if none fails."""
        return next((f"{name}: {one.error}" for name, one in self._failing.items()), "")

    def lasted_s(self, now_s: float) -> float:
        """Return how long the outage lasts, or lasted until it ended at `now_s`."""
        return now_s - self._began_s

    def record_failure(
        self, operation: str, error: str, now_s: float, *, is_denied: bool
    ) -> Report:
        """Record a failure; returns what to report.

        An outage is reported at its first failure. An operation that is denied in it is reported
        as well, because a missing right concerns one operation and its error says which.
        """
        is_new = not self._failing
        if is_new:
            self._begin(now_s)
        self.failures += 1
        self._failing[operation] = _FailingOperation(error, now_s)
        if is_denied and operation not in self._denied:
            self._denied.add(operation)
            is_new = True
        is_due = now_s - self._reported_s >= REMINDER_S
        if is_new or is_due:
            self._reported_s = now_s
        return Report.FAILED if is_new else Report.STILL_FAILS if is_due else Report.NOTHING

    def record_success(self, operation: str, now_s: float) -> bool:
        """Record a success; returns whether the outage ends with it."""
        if not self._failing:
            return False
        if operation in self._failing:
            self._failing[operation].has_succeeded = True
        for name, failing in tuple(self._failing.items()):
            quiet_s = self._recovery_s
            if not failing.has_succeeded:
                quiet_s = max(quiet_s, UNUSED_RECOVERY_S)
            if now_s - failing.last_failure_s >= quiet_s:
                del self._failing[name]
        if not self._failing:
            self._ended_s = now_s
        return not self._failing

    def _begin(self, now_s: float) -> None:
        is_soon = self._ended_s > 0 and now_s - self._ended_s < MAX_RECOVERY_S
        self._recovery_s = min(MAX_RECOVERY_S, self._recovery_s * 2) if is_soon else RECOVERY_S
        self._began_s = self._reported_s = now_s
        self.failures = 0
        self._denied.clear()
