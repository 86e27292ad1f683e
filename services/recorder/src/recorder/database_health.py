"""The health of the database: what readiness and the log say of an outage."""

import asyncio

import structlog

from recorder.metrics import RecorderMetrics
from runtime.health import OK
from runtime.outage import Outage, Report

log = structlog.get_logger()


class DatabaseHealth:
    """Reports outages: a line at the beginning, reminders, and a line at the end."""

    def __init__(self, metrics: RecorderMetrics) -> None:
        self._metrics = metrics
        self._outage = Outage()
        self._error: str | None = "it is not open yet"

    @property
    def state(self) -> str:
        """`ok`, or why nothing is written, for readiness."""
        return OK if self._error is None else f"the database fails: {self._error}"

    def record_success(self) -> None:
        """Record that a transaction was committed."""
        now_s = asyncio.get_running_loop().time()
        is_end = self._outage.record_success(now_s)
        if not self._outage.is_over:
            return
        self._error = None
        self._metrics.database_up.set(1)
        if is_end:
            log.info(
                "the database is written again",
                after_s=round(self._outage.lasted_s(now_s), 1),
                failures=self._outage.failures,
            )

    def record_failure(self, error: str, *, waiting: int) -> None:
        """Record that a transaction failed; `waiting` states are kept for the next attempt."""
        now_s = asyncio.get_running_loop().time()
        self._error = error
        self._metrics.database_up.set(0)
        report = self._outage.record_failure(now_s)
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
                after_s=round(self._outage.lasted_s(now_s)),
                failures=self._outage.failures,
            )
