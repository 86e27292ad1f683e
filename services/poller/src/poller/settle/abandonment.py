"""Abandoning messages: their leases are ended, so that any consumer can receive them at once."""

import asyncio
import random
from typing import Final

import structlog

from poller.in_flight import InFlight, InFlightMessage, Outcome
from poller.metrics import PollerMetrics
from poller.queues import QueueDenied, QueueUnavailable, ReceivedMessage
from poller.settle.deletion import Deletions
from poller.settle.monitored_queue import MonitoredQueue
from runtime.backoff import Backoff

log = structlog.get_logger()

MAX_REQUESTS: Final = 128
"""Limit of concurrent requests of a stop: 256 messages in two turns, where each takes a second."""

_RETRY: Final = Backoff(first_s=0.1, max_s=0.5)
"""The delay before a stop repeats a request, in seconds: it has little time."""

_POLL_S: Final = 0.05
"""How often a stop looks for messages of a page that was received late, in seconds."""


class Abandonment:
    """Ends leases, of one message or of all, and removes the messages from the window."""

    def __init__(
        self,
        queue: MonitoredQueue,
        in_flight: InFlight,
        deletions: Deletions,
        metrics: PollerMetrics,
    ) -> None:
        self._queue = queue
        self._in_flight = in_flight
        self._deletions = deletions
        self._metrics = metrics

    async def abandon(self, message: InFlightMessage, hidden_s: int = 0) -> None:
        """End the lease of a message; it is hidden for `hidden_s` seconds."""
        message.abandoning = True
        try:
            async with message.receipt_lock:
                await self._release(message, hidden_s)
        except (QueueUnavailable, QueueDenied):
            pass  # QueueHealth has recorded it; the message is delivered when its lease ends
        finally:
            self.drop(message)

    def drop(self, message: InFlightMessage) -> None:
        """Remove a message whose lease is over or ends by itself: it is delivered again."""
        self._in_flight.settle(message, Outcome.RETRIED)
        self._in_flight.unblock(message)
        self._metrics.retried.inc()
        self._in_flight.remove(message)

    async def abandon_all(self, receiving: "asyncio.Future[None]", timeout_s: float) -> None:
        """Abandon every message in flight; what is settled is deleted instead.

        Messages that are received until `receiving` is done are abandoned too. A failed request is
        repeated for `timeout_s` seconds; then what is left stays hidden until its lease ends.
        """
        if self._in_flight:
            log.warning("abandoning unfinished messages", messages=len(self._in_flight))
        try:
            async with asyncio.timeout(timeout_s), asyncio.TaskGroup() as group:
                await self._start_ending(receiving, group)
        except TimeoutError:
            log.warning(
                "messages not given back; hidden until their leases end",
                messages=len(self._in_flight),
                timeout_s=timeout_s,
            )
        for message in self._in_flight:
            if message.outcome is None:
                self.drop(message)
            else:
                self._deletions.give_up(message)

    async def _start_ending(
        self, receiving: "asyncio.Future[None]", group: asyncio.TaskGroup
    ) -> None:
        slots = asyncio.Semaphore(MAX_REQUESTS)
        started: set[InFlightMessage] = set()
        while True:
            is_last = receiving.done()
            # The longest leases first: these messages would stay hidden longest.
            left = sorted(
                (message for message in self._in_flight if message not in started),
                key=lambda one: (one.outcome is not None, -one.delivery.leased_until),
            )
            for message in left:
                started.add(message)
                group.create_task(self._end(message, slots))
            if is_last:
                return
            await asyncio.wait((receiving,), timeout=_POLL_S)

    async def _end(self, message: InFlightMessage, slots: asyncio.Semaphore) -> None:
        """End the lease of an unsettled message, or delete a settled one, with retries."""
        message.abandoning = message.outcome is None
        attempt = 0
        while True:
            async with slots:
                if await self._is_ended(message):
                    return
            await asyncio.sleep(_RETRY.delay(attempt, random.random()))  # noqa: S311 - no secret
            attempt += 1

    async def _is_ended(self, message: InFlightMessage) -> bool:
        if message.outcome is not None:
            return await self._deletions.delete_once(message)
        try:
            async with message.receipt_lock:
                await self._release(message, 0)
        except (QueueUnavailable, QueueDenied):
            return False
        self.drop(message)
        return True

    async def _release(self, message: InFlightMessage, hidden_s: int) -> None:
        """End the lease of a message, again if it was delivered again meanwhile."""
        loop = asyncio.get_running_loop()
        delivery: ReceivedMessage | None = None
        while message.delivery is not delivery and not message.is_expired(loop.time()):
            delivery = message.delivery
            await self._queue.release(delivery, hidden_s)
