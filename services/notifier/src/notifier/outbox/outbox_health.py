"""The health of the outbox: what readiness and the log say while its disk fails."""

import structlog

from notifier.metrics import NotifierMetrics
from runtime.dependency_health import DependencyHealth
from runtime.health import OK
from runtime.outage import Report

log = structlog.get_logger()


class OutboxHealth:
    """Reports outages of the outbox: one log line at the beginning of each and one at its end."""

    def __init__(self, metrics: NotifierMetrics) -> None:
        self._failures = metrics.outbox_failures
        self._health = DependencyHealth(metrics.outbox_up)
        self.works = True
        """Whether the last write succeeded in time."""
        metrics.outbox_up.set(1)

    @property
    def state(self) -> str:
        """`ok`, or why the outbox is not written, for readiness."""
        error = self._health.error
        if error is None:
            return OK
        return f"events are kept in memory, and are lost if this process ends: {error}"

    @property
    def is_in_outage(self) -> bool:
        """Whether an outage is reported."""
        return self._health.is_in_outage

    def record_success(self) -> None:
        """Record that a write succeeded."""
        self.works = True
        if self._health.record_success():
            log.info(
                "the outbox is written again",
                after_s=self._health.after_s,
                failures=self._health.failures,
            )

    def record_failure(self, error: str) -> None:
        """Record that a write failed, or has not ended in time."""
        self.works = False
        self._failures.inc()
        report = self._health.record_failure(error)
        if report is Report.FAILED:
            log.error(
                "the outbox cannot be written; events are delivered from memory, and are lost if "
                "this process ends before",
                error=error,
            )
        elif report is Report.STILL_FAILS:
            log.error(
                "the outbox still cannot be written",
                error=error,
                after_s=self._health.after_s,
                failures=self._health.failures,
            )
