"""How a message leaves: deleted, buried as a dead letter, or given back. Nowhere else.

A message is deleted only when it is `decided`: the broker has confirmed its state or a newer one of
its pillow, or the poison queue its copy.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

import structlog

from contract.dead_letters import DeadLetter, encode_dead_letter
from contract.messages import Rejection
from contract.timestamps import format_timestamp
from poller.consume.in_flight import InFlight, InFlightMessage
from poller.consume.polling import FAILING
from poller.metrics import PollerMetrics
from poller.publish.state_publisher import StatePublisher
from poller.queues import DeleteResult, Queue, QueueDenied, QueueUnavailable
from poller.settle.queue_health import QueueHealth
from poller.tasks import Tasks
from runtime.mqtt import BrokerLost, PublishRefused

log = structlog.get_logger()

DELETIONS: Final = 64
"""How many deletions may be under way: 4,000 a second at 10 ms each need 40."""

ASIDE_S: Final = 600
"""For how long a message is hidden that cannot end as things are, where too many wait for that.
Each time it comes again counts as an attempt, so it must not come often."""

ANNOUNCE_S: Final = 5.0
RELEASE_S: Final = 2.0
"""With what `worker` takes to stop, below the deadline for it (runtime/lifecycle.py)."""


class _TooMany(Exception):
    """More dead letters wait for the poison queue than may."""


class Settlement:
    """Ends the messages in hand."""

    def __init__(
        self,
        queue: Queue,
        broker: StatePublisher,
        in_flight: InFlight,
        health: QueueHealth,
        tasks: Tasks,
        metrics: PollerMetrics,
    ) -> None:
        self._queue = queue
        self._broker = broker
        self._in_flight = in_flight
        self._health = health
        self._tasks = tasks
        self._metrics = metrics
        self._decided: asyncio.Queue[InFlightMessage] = asyncio.Queue()

    def start(self) -> None:
        """Begin to delete what has been decided."""
        for _ in range(DELETIONS):
            self._tasks.start(self._delete_decided())

    def complete(self, item: InFlightMessage) -> None:
        """Delete a message: how it ended is confirmed, and counted."""
        item.decided = True
        self._decided.put_nowait(item)

    def dead_letter(self, item: InFlightMessage, rejection: Rejection) -> None:
        """Make a message a dead letter."""
        self._tasks.start(self._dead_letter(item, rejection))

    def abandon(self, item: InFlightMessage, *, aside: bool = False) -> None:
        """Make a message visible to everyone at once, or put it aside for ASIDE_S."""
        self._tasks.start(self._abandon(item, ASIDE_S if aside else 0))

    def drop(self, item: InFlightMessage) -> None:
        """Let go of a message that comes again by itself."""
        self._metrics.retried.inc()
        self._leave(item)

    async def abandon_all(self) -> None:
        """Give back what is still in hand; what was published or buried is deleted instead."""
        left = tuple(self._in_flight)
        if not left:
            return
        log.warning("giving back what could not be finished", messages=len(left))
        with suppress(TimeoutError):
            async with asyncio.timeout(RELEASE_S):
                await asyncio.gather(
                    *(
                        self._delete_once(item) if item.decided else self._abandon(item)
                        for item in left
                    )
                )

    async def retry_until_lease_ends(
        self, item: InFlightMessage, act: str, do: Callable[[], Coroutine[Any, Any, None]]
    ) -> bool:
        """Do something on the queue until it works; False when the lease is over before."""
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            await self._health.quiet()
            try:
                await do()
            except (QueueUnavailable, QueueDenied) as error:
                self._health.failed(act, error)
                item.troubles.add(act)
                if item.lost or loop.time() > item.message.leased_until:
                    return False
                await asyncio.sleep(FAILING.delay(attempt, random.random()))  # noqa: S311 - jitter
                attempt += 1
            else:
                item.troubles.discard(act)
                self._health.worked(act)
                return True

    async def _delete_decided(self) -> None:
        while True:
            item = await self._decided.get()
            await self._delete(item)

    async def _delete(self, item: InFlightMessage) -> None:
        outcome: DeleteResult | None = None

        async def delete() -> None:
            nonlocal outcome
            # Not for longer: between two attempts the lease is renewed.
            async with item.receipt_lock:
                outcome = await self._queue.delete(item.message)

        await self.retry_until_lease_ends(item, "delete", delete)
        self._deleted(item, outcome)

    async def _delete_once(self, item: InFlightMessage) -> None:
        outcome: DeleteResult | None = None
        try:
            outcome = await self._queue.delete(item.message)
        except (QueueUnavailable, QueueDenied):
            pass  # it comes again, and is found to be superseded, or is buried twice
        finally:
            self._deleted(item, outcome)

    def _deleted(self, item: InFlightMessage, outcome: DeleteResult | None) -> None:
        """Count how a deletion ended; without an outcome it did not."""
        if outcome in (None, DeleteResult.LEASE_LOST):
            self._in_flight.remember(item)
        self._metrics.deleted.labels(outcome.value if outcome else "failed").inc()
        self._leave(item)

    async def _dead_letter(self, item: InFlightMessage, rejection: Rejection) -> None:
        """Copy a message to the poison queue, say so, and only then delete it."""
        message = item.message
        letter: str | None = None

        async def keep() -> None:
            nonlocal letter
            try:
                letter = await self._queue.put_poison(message)
            except QueueDenied:
                if self._in_flight.mark_blocked(item):
                    raise
                raise _TooMany from None
            self._in_flight.unblock(item)

        try:
            kept = await self.retry_until_lease_ends(item, "keep a dead letter", keep)
        except _TooMany:
            await self._abandon(item, ASIDE_S)
            return
        if not kept:
            self.drop(item)
            return
        item.decided = True
        self._metrics.dead_lettered.labels(rejection.reason).inc()
        log.warning(
            "dead letter: kept in the poison queue",
            message=message.id,
            # The id by which `poller dead-letters` knows it; the queue does not keep the rest.
            letter=letter,
            reason=str(rejection.reason),
            detail=rejection.detail,
            attempts=message.body.attempts,
        )
        try:
            async with asyncio.timeout(ANNOUNCE_S):
                await self._broker.wait_ready()
                await self._broker.announce(_announcement(item, rejection))
        except (BrokerLost, PublishRefused, TimeoutError) as error:
            log.warning("dead letter not announced on MQTT", message=message.id, why=str(error))
        self.complete(item)

    async def _abandon(self, item: InFlightMessage, hidden_s: int = 0) -> None:
        item.leaving = True
        try:
            async with item.receipt_lock:
                await self._queue.release(item.message, hidden_s)
        except (QueueUnavailable, QueueDenied) as error:
            # Then it comes again when its lease ends.
            self._health.failed("release", error)
            item.troubles.add("release")
        finally:
            self.drop(item)

    def _leave(self, item: InFlightMessage) -> None:
        self._in_flight.remove(item)
        self._health.left(item)


def _announcement(item: InFlightMessage, rejection: Rejection) -> bytes:
    body = item.message.body
    return encode_dead_letter(
        DeadLetter(
            item.message.id,
            rejection.reason,
            rejection.detail,
            body.attempts,
            format_timestamp(body.queued_us),
            body.text,
        )
    )
