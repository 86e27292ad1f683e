"""The health of the queue: failing operations, readiness, and the pause it asked for."""

import asyncio
from typing import Final

import structlog

from poller.metrics import PollerMetrics
from poller.queues import QueueDenied, QueueUnavailable
from poller.settle.queue_outage import QueueOutage
from runtime.health import OK
from runtime.log_repeats import LogRepeats
from runtime.outage import Report

log = structlog.get_logger()

UNUSED: Final = "no request was sent yet"


class QueueHealth:
    """Reports outages of the queue: one log line at its beginning and one at its end."""

    def __init__(self, metrics: PollerMetrics) -> None:
        self._metrics = metrics
        self._was_used = False
        self._outage = QueueOutage()
        self._retry_at = 0.0
        self._page_failed = False
        """Whether the last receive failed, perhaps because of a message in its page."""
        self._repeats = LogRepeats()
        self.first_success = asyncio.Event()
        """Set after the first operation that succeeded."""
        self.receives = True
        """Whether the last receive has not failed."""

    @property
    def state(self) -> str:
        """`ok`, or a failing operation and its error, for readiness; at first that it is unused."""
        if not self._was_used:
            return UNUSED
        return self._outage.error or OK

    @property
    def paused_until(self) -> float:
        """The end of the last pause that the queue asked for: a time of the event loop's clock."""
        return self._retry_at

    def record_failure(self, operation: str, error: QueueUnavailable | QueueDenied) -> None:
        """Record that an operation failed."""
        now_s = asyncio.get_running_loop().time()
        is_denied = isinstance(error, QueueDenied)
        kind = "denied" if is_denied else "unavailable"
        self._metrics.queue_failures.labels(operation, kind).inc()
        if operation == "receive" and not self._page_failed and _suspects_page(error):
            self._on_failed_page(error)
            return
        self.receives = self.receives and operation != "receive"
        self._metrics.queue_up.set(0)
        self._was_used = True
        self._report(
            self._outage.record_failure(operation, str(error), now_s, is_denied=is_denied),
            operation,
            str(error),
        )
        if isinstance(error, QueueUnavailable) and error.retry_after_s:
            self._retry_at = max(self._retry_at, now_s + error.retry_after_s)

    def record_success(self, operation: str) -> None:
        """Record that an operation succeeded."""
        if operation == "receive":
            self._page_failed, self.receives = False, True
        if self._was_used and self._outage.is_over:
            return
        self.first_success.set()
        if not self._was_used:
            self._was_used = True
            self._metrics.queue_up.set(1)
            log.info("queue ready", operation=operation)
            return
        now_s = asyncio.get_running_loop().time()
        if self._outage.record_success(operation, now_s):
            self._metrics.queue_up.set(1)
            log.info(
                "queue works again",
                operation=operation,
                after_s=round(self._outage.lasted_s(now_s), 1),
                failures=self._outage.failures,
            )

    def _on_failed_page(self, error: Exception) -> None:
        """Handle a page that fails after one that was received.

        It is no outage unless the next one fails too, because a message that the queue cannot
        return makes a page fail whenever it comes back.
        """
        self._page_failed = True
        if (repeats := self._repeats.due("page")) is not None:
            log.warning(
                "a page of messages failed, perhaps because of a message that the queue cannot "
                "return; further ones are only counted",
                error=str(error),
                **repeats,
            )

    def _report(self, report: Report, operation: str, error: str) -> None:
        if report is Report.FAILED:
            log.warning("queue operation failed; retrying", operation=operation, error=error)
        elif report is Report.STILL_FAILS:
            log.warning(
                "queue operation still fails; retrying",
                operation=operation,
                error=error,
                after_s=round(self._outage.lasted_s(asyncio.get_running_loop().time())),
                failures=self._outage.failures,
            )

    async def wait_retry_after(self) -> None:
        """Wait until the time of the last Retry-After, whichever operation it answered.

        Renewals and releases do not wait, because a lease would end meanwhile.
        """
        loop = asyncio.get_running_loop()
        waited_until = 0.0
        # A later answer may have moved the time meanwhile.
        while waited_until < self._retry_at and self._retry_at > loop.time():
            waited_until = self._retry_at
            await asyncio.sleep(waited_until - loop.time())


def _suspects_page(error: Exception) -> bool:
    return isinstance(error, QueueUnavailable) and error.suspects_page
