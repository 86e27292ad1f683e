"""Leases: renewed at half time, by id and receipt, for as long as messages are in hand."""

import asyncio
from typing import Final

from poller.consume.in_flight import InFlight, InFlightMessage
from poller.metrics import PollerMetrics
from poller.queues import Queue, QueueDenied, QueueUnavailable
from poller.settle.queue_health import QueueHealth

AT_ONCE: Final = 32
"""How many renewals may be under way; deletions have the connections to themselves mostly."""


class LeaseRenewal:
    """Keeps the messages in hand from coming again before they have ended."""

    def __init__(
        self,
        queue: Queue,
        in_flight: InFlight,
        health: QueueHealth,
        metrics: PollerMetrics,
        visibility_s: float,
    ) -> None:
        self._queue = queue
        self._in_flight = in_flight
        self._health = health
        self._metrics = metrics
        self._visibility_s = visibility_s

    async def run(self) -> None:
        """Renew until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._visibility_s / 8)
            soon = loop.time() + self._visibility_s / 2
            due = [
                item
                for item in self._in_flight
                if item.message.leased_until < soon
                and not (item.leaving or item.lost)
                # It is being deleted at this moment; else its turn comes again soon.
                and not item.receipt_lock.locked()
            ]
            for start in range(0, len(due), AT_ONCE):
                await asyncio.gather(*map(self._renew, due[start : start + AT_ONCE]))

    async def _renew(self, item: InFlightMessage) -> None:
        async with item.receipt_lock:
            if item.leaving or self._in_flight.of(item.message.id) is not item:
                return
            try:
                renewed = await self._queue.renew(item.message)
            except (QueueUnavailable, QueueDenied) as error:
                self._health.failed("renew", error)
                item.troubles.add("renew")
                return
        item.troubles.discard("renew")
        self._health.worked("renew")
        self._metrics.renewed.labels("renewed" if renewed else "lost").inc()
        item.lost = not renewed
