"""What is logged and counted when the active poller changes.

A poller that was killed holds messages until their leases end. By then another one has published
newer states, so that the states of these messages are superseded. Their number is counted, and
logged once: when everything is settled that waited on the queue until the leases had ended, because
a queue may deliver what comes back behind all that waits.
"""

import asyncio
from typing import Final

import structlog

from poller.consume.election import Reason
from poller.in_flight import InFlight
from poller.metrics import PollerMetrics

log = structlog.get_logger()

MARGIN_S: Final = 10.0
"""How far pages may overtake each other, in seconds: a request of one ends within that."""


class TakeoverReport:
    """Logs and counts take-overs; `lease_s` is the length of a lease, in seconds."""

    def __init__(self, metrics: PollerMetrics, in_flight: InFlight, lease_s: float) -> None:
        self._metrics = metrics
        self._in_flight = in_flight
        self._lease_s = lease_s
        self._until_s: float | None = None
        """What waited until then is settled before a take-over is over; None between take-overs."""
        self._before = self._number = 0
        """How many states were superseded before the take-over, and since."""

    def standby(self, holder: str) -> None:
        """Report that another poller receives, which ends the count of a take-over."""
        self.finish()
        self._forget_queue()
        log.info("standby: another poller receives from the queue", active=holder)

    def active(self, reason: Reason, holder: str) -> None:
        """Report that this poller receives, where another one did before."""
        self._forget_queue()
        if reason is Reason.START:
            return
        self._metrics.takeovers.labels(reason.value).inc()
        write = log.info if reason is Reason.RELEASED else log.warning
        write("took over the queue from another poller", reason=reason.value, before=holder)
        self._before, self._number = self._metrics.superseded_so_far, 0
        self._until_s = asyncio.get_running_loop().time() + self._lease_s + MARGIN_S

    def _forget_queue(self) -> None:
        """Take the queue for empty, because its last page is out of date."""
        self._in_flight.queue_age.record_page(0.0, asyncio.get_running_loop().time())

    def tick(self) -> None:
        """Count the states superseded since a take-over; log their number at the end."""
        if self._until_s is None:
            return
        self._count()
        unsettled_s = self._in_flight.oldest_s(with_blocked=False)
        settled_until_s = asyncio.get_running_loop().time() - unsettled_s
        if min(settled_until_s, self._in_flight.queue_age.received_until_s) >= self._until_s:
            self.finish()

    def finish(self) -> None:
        """End a take-over, if one is not over yet, and log its number."""
        if self._until_s is None:
            return
        self._count()
        self._until_s = None
        log.info("states superseded since the take-over", number=self._number)

    def _count(self) -> None:
        number = self._metrics.superseded_so_far - self._before
        self._metrics.takeover_superseded.inc(number - self._number)
        self._number = number
