"""The health of the outbox: what readiness and the log say while its disk fails."""

import asyncio

import structlog

from notifier.metrics import NotifierMetrics
from runtime.health import OK
from runtime.outage import Outage, Report

log = structlog.get_logger()


class OutboxHealth:
    """Reports outages of the outbox: one log line at the beginning of each and one at its end."""

    def __init__(self, metrics: NotifierMetrics) -> None:
        self._metrics = metrics
        self._outage = Outage()
        self._error: str | None = None
        self.works = True
        """Whether the last write succeeded in time."""
        metrics.outbox_up.set(1)

    @property
    def state(self) -> str:
        """`ok`, or why the outbox is not written, for readiness."""
        if self._error is None:
            return OK
        return f"events are kept in memory, and are lost if this process ends: {self._error}"

    @property
    def is_in_outage(self) -> bool:
        """Whether an outage is reported."""
        return not self._outage.is_over

    def record_success(self) -> None:
        """Record that a write succeeded."""
        now_s = asyncio.get_running_loop().time()
        self.works = True
        is_end = self._outage.record_success(now_s)
        if self.is_in_outage:
            return
        self._error = None
        self._metrics.outbox_up.set(1)
        if is_end:
            log.info(
                "the outbox is written again",
                after_s=round(self._outage.lasted_s(now_s), 1),
                failures=self._outage.failures,
            )

    def record_failure(self, error: str) -> None:
        """Record that a write failed, or has not ended in time."""
        now_s = asyncio.get_running_loop().time()
        self.works = False
        self._error = error
        self._metrics.outbox_up.set(0)
        self._metrics.outbox_failures.inc()
        report = self._outage.record_failure(now_s)
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
                after_s=round(self._outage.lasted_s(now_s)),
                failures=self._outage.failures,
            )
