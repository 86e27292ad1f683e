"""The health of the journal: whether it is waited for, and what readiness and the log say."""

import asyncio

import structlog

from poller.metrics import PollerMetrics
from runtime.dependency_health import DependencyHealth
from runtime.health import ok_but
from runtime.outage import Report

log = structlog.get_logger()


class JournalHealth:
    """Reports outages of the journal: one log line at its beginning and one at its end.

    A disk that is slow or fails now and then is one outage, which is over when nothing has failed
    for a while. Messages are held back for the journal whenever its last work ended in time, also
    while the outage is still reported.
    """

    def __init__(self, metrics: PollerMetrics) -> None:
        self._health = DependencyHealth(metrics.journal_up, "it is not open yet")
        self.is_waited_for = False
        """Whether the last work ended in time, so that what is put will soon be on the disk."""
        self.was_tried = asyncio.Event()
        """Set when the journal is open, or cannot be opened now."""

    @property
    def state(self) -> str:
        """`ok`, and why the journal fails if it does, for readiness: the poller works without."""
        error = self._health.error
        return ok_but(error and f"without a journal, a power cut may lose states: {error}")

    @property
    def is_in_outage(self) -> bool:
        """Whether an outage is reported."""
        return self._health.is_in_outage

    def record_success(self) -> None:
        """Record that work on the disk ended in time."""
        self.is_waited_for = True
        self.was_tried.set()
        if self._health.record_success():
            log.info(
                "the journal is written again",
                after_s=self._health.after_s,
                failures=self._health.failures,
            )

    def record_failure(self, error: str) -> None:
        """Record that work on the disk failed, or has not ended in time."""
        self.is_waited_for = False
        self.was_tried.set()
        report = self._health.record_failure(error)
        if report is Report.FAILED:
            log.error(
                "the journal cannot be written; until it can, messages are deleted when the broker "
                "has their states, and a power cut of both may lose these",
                error=error,
            )
        elif report is Report.STILL_FAILS:
            log.error(
                "the journal still cannot be written; messages do not wait for it",
                error=error,
                after_s=self._health.after_s,
                failures=self._health.failures,
            )

    def record_late_end(self) -> None:
        """Record that work which had not ended in time has ended."""
        self._health.prolong()
