"""Whether the queue is in an outage: which operations fail, from when, and until when. Pure.

One outage has one beginning and one end, whichever operations fail in it and however often some
requests succeed between failures.
"""

from dataclasses import dataclass
from typing import Final

from runtime.outage import Outage, Report

UNUSED_RECOVERY_S: Final = 60.0
"""How long an operation may not have failed until it is forgotten if it did not succeed since, in
seconds, because no message needs it any more. It is longer than the delay before a failed operation
is repeated."""

MIN_WORKING_S: Final = 1.0
"""How long no request may have failed since the first that succeeded until an outage is over, in
seconds. One may succeed after a long pause between failures, which is no recovery."""


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
        self._works_since_s: float | None = None
        """When the first request succeeded since the last failure."""
        self._outage = Outage()

    @property
    def is_over(self) -> bool:
        """Whether no operation fails."""
        return not self._failing

    @property
    def failures(self) -> int:
        """The number of failures in this outage, or in the last one."""
        return self._outage.failures

    @property
    def error(self) -> str:
        """The operation that failed first and its last error; empty if none fails."""
        return next((f"{name}: {one.error}" for name, one in self._failing.items()), "")

    def lasted_s(self, now_s: float) -> float:
        """Return how long the outage lasts, or lasted until it ended at `now_s`."""
        return self._outage.lasted_s(now_s)

    def record_failure(
        self, operation: str, error: str, now_s: float, *, is_denied: bool
    ) -> Report:
        """Record a failure; returns what to report.

        An outage is reported at its first failure. An operation that is denied in it is reported
        as well, because a missing right concerns one operation and its error says which.
        """
        if not self._failing:
            self._denied.clear()
        self._works_since_s = None
        self._failing[operation] = _FailingOperation(error, now_s)
        is_news = is_denied and operation not in self._denied
        if is_news:
            self._denied.add(operation)
        return self._outage.record_failure(now_s, is_news=is_news)

    def record_success(self, operation: str, now_s: float) -> bool:
        """Record a success; returns whether the outage ends with it."""
        if not self._failing:
            return False
        if operation in self._failing:
            self._failing[operation].has_succeeded = True
        if self._works_since_s is None:
            self._works_since_s = now_s
        if now_s - self._works_since_s < MIN_WORKING_S:
            return False
        for name, failing in tuple(self._failing.items()):
            quiet_s = self._outage.recovery_s
            if not failing.has_succeeded:
                quiet_s = max(quiet_s, UNUSED_RECOVERY_S)
            if now_s - failing.last_failure_s >= quiet_s:
                del self._failing[name]
        if not self._failing:
            self._outage.end(now_s)
        return not self._failing
