"""The health of the queue: failing operations, readiness, and the pause it asked for."""

import asyncio
from collections import defaultdict

import structlog

from poller.metrics import PollerMetrics
from poller.queues import QueueDenied, QueueUnavailable
from runtime.health import OK

log = structlog.get_logger()


class QueueHealth:
    """Tracks failing operations, and logs once on failure and once on recovery of each.

    An operation fails until it succeeds, or until no message that waits for it is in flight.
    """

    def __init__(self, metrics: PollerMetrics) -> None:
        self._metrics = metrics
        self._was_used = False
        self._reasons: dict[str, str] = {}
        """The failing operations, and the last error of each."""
        self._waiting: defaultdict[str, set[str]] = defaultdict(set)
        """The ids of the messages in flight that wait for an operation which failed."""
        self._retry_at = 0.0
        self.first_success = asyncio.Event()
        """Set after the first operation that succeeded."""

    @property
    def state(self) -> str:
        """`ok`, or a failing operation and its error, for readiness; at first that it is unused."""
        if not self._was_used:
            return "no request was sent yet"
        return next((f"{operation}: {error}" for operation, error in self._reasons.items()), OK)

    def record_failure(
        self, operation: str, error: QueueUnavailable | QueueDenied, message_id: str = ""
    ) -> None:
        """Record that an operation failed, and which message waits for it, if one does."""
        kind = "denied" if isinstance(error, QueueDenied) else "unavailable"
        self._metrics.queue_failures.labels(operation, kind).inc()
        self._was_used = True
        if operation not in self._reasons:
            log.warning("queue operation failed; retrying", operation=operation, error=str(error))
            self._metrics.queue_up.set(0)
        self._reasons[operation] = str(error)
        if message_id:
            self._waiting[operation].add(message_id)
        if isinstance(error, QueueUnavailable) and error.retry_after_s:
            retry_at = asyncio.get_running_loop().time() + error.retry_after_s
            self._retry_at = max(self._retry_at, retry_at)

    def record_success(self, operation: str, message_id: str = "") -> None:
        """Record that an operation succeeded, for this message if one is given."""
        self.first_success.set()
        if message_id and operation in self._waiting:
            self._waiting[operation].discard(message_id)
        if self._was_used and not self._reasons:
            return
        if not self._was_used:
            self._was_used = True
            log.info("queue ready", operation=operation)
        elif self._reasons.pop(operation, None) is not None:
            log.info("queue works again", operation=operation)
        self._update_gauge()

    def forget(self, message_id: str) -> None:
        """Forget a message that left the window: what only it waited for no longer fails."""
        left = [operation for operation, ids in self._waiting.items() if message_id in ids]
        for operation in left:
            self._waiting[operation].discard(message_id)
            if not self._waiting[operation]:
                self._reasons.pop(operation, None)
        if left:
            self._update_gauge()

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

    def _update_gauge(self) -> None:
        if not self._reasons:
            self._metrics.queue_up.set(1)
