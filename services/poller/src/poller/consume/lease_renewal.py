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
            # The freshest first: where not all can be renewed in time, those are renewed that can.
            due = sorted(
                (message for message in self._in_flight if self._is_due(message, latest)),
                key=lambda message: -message.delivery.leased_until,
            )
            for start in range(0, len(due), MAX_RENEWALS):
                await asyncio.gather(*map(self._renew, due[start : start + MAX_RENEWALS]))

    def _is_due(self, message: InFlightMessage, latest: float) -> bool:
        return (
            message.delivery.leased_until < latest
            and not (message.abandoning or message.lease_lost)
            and (not message.awaits_deletion or self._has_to_bridge_pause(message))
            # A locked receipt is in use by a deletion; the next round is soon.
            and not message.receipt_lock.locked()
        )

    def _has_to_bridge_pause(self, message: InFlightMessage) -> bool:
        """Return whether one renewal lets a deletion wait as long as the queue asked for.

        Otherwise a settled message is not renewed, because that costs as much as its deletion;
        delivered again, which costs a 32nd part of it, it is only deleted.
        """
        until = self._queue.paused_until
        leased_until = message.delivery.leased_until
        return leased_until <= until < leased_until + self._visibility_s

    async def _renew(self, message: InFlightMessage) -> None:
        async with message.receipt_lock:
            if message.abandoning or self._in_flight.get(message.id) is not message:
                return
            delivery = message.delivery
            try:
                renewed = await self._queue.renew(delivery)
            except (QueueUnavailable, QueueDenied):
                return  # QueueHealth has recorded it; the next round repeats it
        self._metrics.lease_renewals.labels("renewed" if renewed else "lost").inc()
        # A message that was delivered again meanwhile has another lease.
        if message.delivery is delivery:
            message.lease_lost = not renewed
