"""Deletion of settled messages: the freshest lease first, and none whose lease is over."""

import asyncio
import random
from itertools import count
from typing import Final

from poller.background_tasks import BackgroundTasks
from poller.in_flight import InFlight, InFlightMessage
from poller.metrics import PollerMetrics
from poller.queues import (
    RETRY_BACKOFF,
    DeleteResult,
    QueueDenied,
    QueueUnavailable,
    ReceivedMessage,
)
from poller.settle.monitored_queue import MonitoredQueue

MAX_DELETIONS: Final = 64
"""Limit of concurrent deletions: 4,000 a second at 10 ms each need 40."""

BLOCKED_AFTER: Final = 3
"""How often the deletion of a message fails until it counts as blocked: others go on beside it."""

_GONE: Final = (DeleteResult.DELETED.value, DeleteResult.GONE.value)
"""The outcomes after which the queue does not deliver the message again."""


class Deletions:
    """Deletes settled messages, and removes each from the window.

    Where more messages wait than can be deleted in time, the freshest lease goes first: in the
    order of their ends, each deletion would be sent just when its lease is over.
    A message whose lease is over is not deleted, because another consumer may have it; its next
    delivery deletes it.
    """

    def __init__(
        self,
        queue: MonitoredQueue,
        in_flight: InFlight,
        tasks: BackgroundTasks,
        metrics: PollerMetrics,
    ) -> None:
        self._queue = queue
        self._in_flight = in_flight
        self._tasks = tasks
        self._metrics = metrics
        self._waiting: asyncio.PriorityQueue[
            tuple[float, int, InFlightMessage, ReceivedMessage]
        ] = asyncio.PriorityQueue()
        """The key is the end of the lease when it was added, negative, and a sequence number."""
        self._sequence = count()
        self._unfinished = 0

    def start(self) -> None:
        """Start to delete."""
        for _ in range(MAX_DELETIONS):
            self._tasks.start(self._delete_loop())

    def add(self, message: InFlightMessage) -> None:
        """Delete a settled message as soon as its turn comes."""
        assert message.outcome is not None, f"{message.id} is deleted before it is settled"
        message.awaits_deletion = True
        if not self._unfinished:
            self._in_flight.intake.begin(asyncio.get_running_loop().time())
        self._unfinished += 1
        self.enqueue(message)

    def enqueue(self, message: InFlightMessage) -> None:
        """Put an added message in its turn, again if its lease was replaced meanwhile."""
        delivery = message.delivery
        self._waiting.put_nowait((-delivery.leased_until, next(self._sequence), message, delivery))

    async def delete_once(self, message: InFlightMessage) -> bool:
        """Delete a settled message without a second attempt; returns whether it was answered.

        A message that is still in flight afterwards may be deleted again, or removed by `give_up`.
        """
        if message.journaled is not None:
            # Not the future itself, because a cancelled wait would cancel it for other messages.
            await asyncio.wait((message.journaled,))
        async with message.receipt_lock:
            return await self._attempt(message)

    def give_up(self, message: InFlightMessage) -> None:
        """Remove a settled message that was not deleted."""
        if message.lease_lost:
            outcome = DeleteResult.LEASE_LOST.value
        else:
            outcome = "failed" if message.failed_deletions else "expired"
        self._finish(message, outcome)

    async def _delete_loop(self) -> None:
        while True:
            _, _, message, delivery = await self._waiting.get()
            await self._queue.wait_retry_after()
            # The lock is free between two attempts, so that the lease can be renewed.
            async with message.receipt_lock:
                # An entry of an older lease has a successor.
                if message.delivery is not delivery or await self._attempt(message):
                    continue
            self._retry_later(message)

    async def _attempt(self, message: InFlightMessage) -> bool:
        """Send a deletion, unless the lease is over; returns False where it has to be repeated."""
        if self._in_flight.get(message.id) is not message:
            return True
        loop = asyncio.get_running_loop()
        if message.is_expired(loop.time()):
            self.give_up(message)
            return True
        delivery = message.delivery
        try:
            result = await self._queue.delete(delivery)
        except (QueueUnavailable, QueueDenied):
            message.failed_deletions += 1
            self._in_flight.intake.record(loop.time(), answered=False)
            if message.failed_deletions >= BLOCKED_AFTER:
                self._in_flight.mark_blocked(message)
            return False
        self._in_flight.intake.record(loop.time(), answered=True)
        if result is DeleteResult.LEASE_LOST and message.delivery is not delivery:
            return False  # it was delivered again meanwhile, so that it has another lease
        self._finish(message, result.value)
        return True

    def _retry_later(self, message: InFlightMessage) -> None:
        """Put a message in its turn after a delay; until then others are deleted.

        It is put there when its lease ends at the latest, because it is removed then.
        """
        loop = asyncio.get_running_loop()
        jitter = random.random()  # noqa: S311 - no secret
        delay_s = RETRY_BACKOFF.delay(max(0, message.failed_deletions - 1), jitter)
        left_s = max(0.0, message.delivery.leased_until - loop.time())
        loop.call_later(min(delay_s, left_s), self.enqueue, message)

    def _finish(self, message: InFlightMessage, outcome: str) -> None:
        """Count how a deletion ended, and remove the message."""
        if message.awaits_deletion:
            self._unfinished -= 1
        if outcome not in _GONE:
            self._in_flight.remember_undeleted(message)
        self._metrics.count_deletion(outcome)
        self._in_flight.remove(message)
