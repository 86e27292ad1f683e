"""Lease renewal: the lease of every message in flight is renewed at half its length."""

import asyncio
from typing import Final

from poller.in_flight import InFlight, InFlightMessage
from poller.metrics import PollerMetrics
from poller.queues import QueueDenied, QueueUnavailable
from poller.settle.monitored_queue import MonitoredQueue

MAX_RENEWALS: Final = 32
"""Limit of concurrent renewals, so that most connections stay free for deletions."""


class LeaseRenewal:
    """Renews leases, so that no message in flight is delivered to another consumer."""

    def __init__(
        self,
        queue: MonitoredQueue,
        in_flight: InFlight,
        metrics: PollerMetrics,
        visibility_s: float,
    ) -> None:
        self._queue = queue
        self._in_flight = in_flight
        self._metrics = metrics
        self._visibility_s = visibility_s

    async def run(self) -> None:
        """Renew until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._visibility_s / 8)
            latest = loop.time() + self._visibility_s / 2
            due = [
                message
                for message in self._in_flight
                if message.delivery.leased_until < latest
                and not (message.abandoning or message.lease_lost)
                # A locked receipt is in use by a deletion; the next round is soon.
                and not message.receipt_lock.locked()
            ]
            for start in range(0, len(due), MAX_RENEWALS):
                await asyncio.gather(*map(self._renew, due[start : start + MAX_RENEWALS]))

    async def _renew(self, message: InFlightMessage) -> None:
        async with message.receipt_lock:
            if message.abandoning or self._in_flight.get(message.id) is not message:
                return
            try:
                renewed = await self._queue.renew(message.delivery)
            except (QueueUnavailable, QueueDenied):
                # QueueHealth has recorded it; the next round repeats it, unless the message was
                # dropped meanwhile: then no later renewal would clear the failure.
                if self._in_flight.get(message.id) is not message:
                    self._queue.forget(message.id)
                return
        self._metrics.lease_renewals.labels("renewed" if renewed else "lost").inc()
        message.lease_lost = not renewed
