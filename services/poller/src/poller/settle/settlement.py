"""Settlement: how a message leaves the window. It is completed, dead-lettered or abandoned here.

A message is deleted only after its outcome is confirmed: the broker has its state or a newer one
of its pillow, or the poison queue has its copy. Where there is a journal, that has the state too.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol

import structlog

from contract.dead_letters import DeadLetterAnnouncement, encode_announcement
from contract.messages import Rejection
from contract.timestamps import format_timestamp
from poller.background_tasks import BackgroundTasks
from poller.in_flight import InFlight, InFlightMessage, Outcome
from poller.metrics import PollerMetrics
from poller.queues import RETRY_BACKOFF, DeleteResult, QueueDenied, QueueUnavailable
from poller.settle.monitored_queue import MonitoredQueue
from runtime.mqtt import BrokerLost, PublishRefused

log = structlog.get_logger()

MAX_DELETIONS: Final = 64
"""Limit of concurrent deletions: 4,000 a second at 10 ms each need 40."""

SET_ASIDE_S: Final = 600
"""How long a blocked message is hidden when MAX_BLOCKED others are in flight, in seconds.
It is long because each delivery counts as an attempt."""

ANNOUNCE_TIMEOUT_S: Final = 5.0
"""How long a dead letter's announcement on MQTT may take."""

ABANDON_ALL_TIMEOUT_S: Final = 2.0
"""How long a stop may take to abandon messages. With `worker.DRAIN_TIMEOUT_S` and
`page_fetcher.LAST_PAGE_S` it is below the deadline for a stop (runtime/lifecycle.py)."""


class DeadLetterAnnouncer(Protocol):
    """Announces dead letters on MQTT."""

    async def wait_ready(self) -> None:
        """Wait until the broker can be published to."""

    def announce(self, letter: bytes) -> asyncio.Future[None]:
        """Publish an announcement; raises BrokerLost or PublishRefused, now or from the future."""


class Settlement:
    """Settles the messages in flight, and counts each outcome once.

    Invariant: a message is deleted only when its outcome is published, superseded or
    dead-lettered, or was so at an earlier delivery.
    """

    def __init__(
        self,
        queue: MonitoredQueue,
        announcer: DeadLetterAnnouncer,
        in_flight: InFlight,
        tasks: BackgroundTasks,
        metrics: PollerMetrics,
    ) -> None:
        self._queue = queue
        self._announcer = announcer
        self._in_flight = in_flight
        self._tasks = tasks
        self._metrics = metrics
        self._counters = {
            Outcome.PUBLISHED: metrics.published,
            Outcome.SUPERSEDED: metrics.superseded,
            Outcome.RETRIED: metrics.retried,
        }
        self._to_delete: asyncio.Queue[InFlightMessage] = asyncio.Queue()

    def start(self) -> None:
        """Start the deletion of completed messages."""
        for _ in range(MAX_DELETIONS):
            self._tasks.start(self._delete_loop())

    def complete(
        self,
        message: InFlightMessage,
        outcome: Outcome,
        journaled: asyncio.Future[None] | None = None,
    ) -> None:
        """Settle a message whose outcome is confirmed, and delete it when `journaled` is done."""
        assert outcome is not Outcome.RETRIED or message.settled_before, f"{message.id}: {outcome}"
        self._settle(message, outcome)
        if journaled is None:
            self._to_delete.put_nowait(message)
        else:
            message.journaled = journaled
            journaled.add_done_callback(lambda _: self._to_delete.put_nowait(message))

    def dead_letter(self, message: InFlightMessage, rejection: Rejection) -> None:
        """Copy a message to the poison queue, announce it, and delete it."""
        self._tasks.start(self._dead_letter(message, rejection))

    def abandon(self, message: InFlightMessage) -> None:
        """End the lease of a message: any consumer can receive it at once."""
        self._tasks.start(self._abandon(message))

    def drop(self, message: InFlightMessage) -> None:
        """Remove a message whose lease is over or ends by itself: it is delivered again."""
        self._settle(message, Outcome.RETRIED)
        self._remove(message)

    def keep_blocked(self, message: InFlightMessage) -> bool:
        """Keep a message that cannot be settled now; it is blocked until `complete`.

        When too many others are blocked it is hidden for SET_ASIDE_S instead and False is
        returned.
        """
        if self._in_flight.mark_blocked(message):
            return True
        self._tasks.start(self._abandon(message, SET_ASIDE_S))
        return False

    async def drain(self, timeout_s: float) -> None:
        """Wait until no message is in flight, at most `timeout_s` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._in_flight.wait_empty()

    async def abandon_all(self) -> None:
        """Abandon every message in flight; what is settled is deleted instead."""
        left = tuple(self._in_flight)
        if not left:
            return
        log.warning("abandoning unfinished messages", messages=len(left))
        with suppress(TimeoutError):
            async with asyncio.timeout(ABANDON_ALL_TIMEOUT_S):
                await asyncio.gather(
                    *(
                        self._abandon(message)
                        if message.outcome is None
                        else self._delete_once(message)
                        for message in left
                    )
                )

    async def retry_until_lease_ends(
        self, message: InFlightMessage, operation: Callable[[], Awaitable[None]]
    ) -> bool:
        """Repeat a queue operation until it succeeds; returns False when the lease ends before."""
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            await self._queue.wait_retry_after()
            try:
                await operation()
            except (QueueUnavailable, QueueDenied):
                if message.lease_lost or loop.time() > message.delivery.leased_until:
                    return False
                delay_s = RETRY_BACKOFF.delay(attempt, random.random())  # noqa: S311 - jitter
                await asyncio.sleep(delay_s)
                attempt += 1
            else:
                return True

    # Deletion

    async def _delete_loop(self) -> None:
        while True:
            await self._delete(await self._to_delete.get())

    async def _delete(self, message: InFlightMessage) -> None:
        assert message.outcome is not None, f"{message.id} is deleted before it is settled"
        result: DeleteResult | None = None

        async def delete() -> None:
            nonlocal result
            # The lock is free between two attempts, so that the lease can be renewed.
            async with message.receipt_lock:
                result = await self._queue.delete(message.delivery)

        await self.retry_until_lease_ends(message, delete)
        self._deleted(message, result)

    async def _delete_once(self, message: InFlightMessage) -> None:
        result: DeleteResult | None = None
        if message.journaled is not None:
            # Not the future itself, because a cancelled wait would cancel it for other messages.
            await asyncio.wait((message.journaled,))
        try:
            result = await self._queue.delete(message.delivery)
        except (QueueUnavailable, QueueDenied):
            pass  # it is delivered again, and is superseded or dead-lettered twice
        finally:
            self._deleted(message, result)

    def _deleted(self, message: InFlightMessage, result: DeleteResult | None) -> None:
        """Count the result of a deletion, None if it failed, and remove the message."""
        if result in (None, DeleteResult.LEASE_LOST):
            self._in_flight.remember_undeleted(message)
        self._metrics.count_deletion(result.value if result else "failed")
        self._remove(message)

    # Dead letters

    async def _dead_letter(self, message: InFlightMessage, rejection: Rejection) -> None:
        letter: str | None = None
        is_set_aside = False

        async def copy() -> None:
            nonlocal letter, is_set_aside
            try:
                letter = await self._queue.put_poison(message.delivery)
            except QueueDenied:
                is_set_aside = not self.keep_blocked(message)
                if not is_set_aside:
                    raise

        copied = await self.retry_until_lease_ends(message, copy)
        if is_set_aside:
            return
        if not copied:
            self.drop(message)
            return
        self._settle(message, Outcome.DEAD_LETTERED, rejection)
        log.warning(
            "dead letter: kept in the poison queue",
            message=message.id,
            # The id by which `poller dead-letters` knows it; the queue does not keep the rest.
            letter=letter,
            reason=str(rejection.reason),
            detail=rejection.detail,
            attempts=message.delivery.body.attempts,
        )
        await self._announce(message, rejection)
        self._to_delete.put_nowait(message)

    async def _announce(self, message: InFlightMessage, rejection: Rejection) -> None:
        try:
            async with asyncio.timeout(ANNOUNCE_TIMEOUT_S):
                await self._announcer.wait_ready()
                await self._announcer.announce(_announcement(message, rejection))
        except (BrokerLost, PublishRefused, TimeoutError) as error:
            log.warning("dead letter not announced on MQTT", message=message.id, error=str(error))

    # Leaving the window

    async def _abandon(self, message: InFlightMessage, hidden_s: int = 0) -> None:
        message.abandoning = True
        try:
            async with message.receipt_lock:
                await self._queue.release(message.delivery, hidden_s)
        except (QueueUnavailable, QueueDenied):
            pass  # QueueHealth has recorded it; the message is delivered when its lease ends
        finally:
            self.drop(message)

    def _settle(
        self, message: InFlightMessage, outcome: Outcome, rejection: Rejection | None = None
    ) -> None:
        self._in_flight.settle(message, outcome)
        self._in_flight.unblock(message)
        if rejection is None:
            self._counters[outcome].inc()
        else:
            self._metrics.dead_lettered.labels(rejection.reason).inc()

    def _remove(self, message: InFlightMessage) -> None:
        self._in_flight.remove(message)
        self._queue.forget(message.id)


def _announcement(message: InFlightMessage, rejection: Rejection) -> bytes:
    body = message.delivery.body
    return encode_announcement(
        DeadLetterAnnouncement(
            message.id,
            rejection.reason,
            rejection.detail,
            body.attempts,
            format_timestamp(body.queued_us),
            body.text,
        )
    )
