"""The health of the database: what readiness and the log say of an outage."""

import structlog

from recorder.metrics import RecorderMetrics
from runtime.dependency_health import DependencyHealth
from runtime.health import OK
from runtime.outage import Report

log = structlog.get_logger()


class DatabaseHealth:
    """Reports outages: a line at the beginning, reminders, and a line at the end."""

    def __init__(self, metrics: RecorderMetrics) -> None:
        self._health = DependencyHealth(metrics.database_up, "it is not open yet")

    @property
    def state(self) -> str:
        """`ok`, or why nothing is written, for readiness."""
        error = self._health.error
        return OK if error is None else f"the database fails: {error}"

    def record_success(self) -> None:
        """Record that a transaction was committed."""
        if self._health.record_success():
            log.info(
                "the database is written again",
                after_s=self._health.after_s,
                failures=self._health.failures,
            )

    def record_failure(self, error: str, *, waiting: int) -> None:
        """Record that a transaction failed; `waiting` states are kept for the next attempt."""
        report = self._health.record_failure(error)
        if report is Report.FAILED:
            log.error(
                "the database cannot be written; states wait in memory up to "
                "RECORDER_BUFFER_BYTES, and it is tried again every few seconds",
                error=error,
                waiting=waiting,
            )
        elif report is Report.STILL_FAILS:
            log.error(
                "the database still cannot be written",
                error=error,
                waiting=waiting,
                after_s=self._health.after_s,
                failures=self._health.failures,
            )
