"""Settlement: how a message leaves the window. It is completed, dead-lettered or abandoned here.

A message is deleted only after its outcome is confirmed: the broker has its state or a newer one
of its pillow, or the poison queue has its copy. Where there is a journal, that has the state too.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog

from contract.dead_letters import DeadLetterAnnouncement, encode_announcement
from contract.messages import Rejection
from contract.timestamps import format_timestamp
from poller.background_tasks import BackgroundTasks
from poller.in_flight import InFlight, InFlightMessage, Outcome
from poller.metrics import PollerMetrics
from poller.queues import RETRY_BACKOFF, QueueDenied, QueueUnavailable
from poller.settle.abandonment import Abandonment
from poller.settle.deletion import Deletions
from poller.settle.monitored_queue import MonitoredQueue
from poller.settle.recent_dead_letters import RecentDeadLetters
from runtime.log_repeats import LogRepeats
from runtime.mqtt import BrokerLost, PublishRefused

log = structlog.get_logger()

SET_ASIDE_S: Final = 600
"""How long a blocked message is hidden when MAX_BLOCKED others are in flight, in seconds.
It is long because each delivery counts as an attempt."""

ANNOUNCE_TIMEOUT_S: Final = 5.0
"""How long a dead letter's announcement on MQTT may take."""

SILENT_S: Final = 2.5
"""How long no message may be settled until a stop takes the broker for silent, in seconds."""

REPEAT_S: Final = 60.0
"""The least time between two lines about dead letters after the first thousand, in seconds."""

_DRAIN_POLL_S: Final = 0.02
"""How often a stop looks whether messages are in flight, in seconds."""


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
        self.recent_dead_letters = RecentDeadLetters()
        self._repeats = LogRepeats(REPEAT_S)
        self._refusals = LogRepeats()
        self._deletions = Deletions(queue, in_flight, tasks, metrics)
        self._abandonment = Abandonment(queue, in_flight, self._deletions, metrics)

    def start(self) -> None:
        """Start the deletion of completed messages."""
        self._deletions.start()

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
            self._deletions.add(message)
        else:
            message.journaled = journaled
            journaled.add_done_callback(lambda _: self._deletions.add(message))

    def dead_letter(self, message: InFlightMessage, rejection: Rejection) -> None:
        """Copy a message to the poison queue, announce it, and delete it."""
        self._tasks.start(self._dead_letter(message, rejection))

    def abandon(self, message: InFlightMessage) -> None:
        """End the lease of a message: any consumer can receive it at once."""
        self._tasks.start(self._abandonment.abandon(message))

    def on_redelivered(self, message: InFlightMessage) -> None:
        """Handle a new lease of a message in flight: its deletion takes the turn of that lease."""
        if message.awaits_deletion:
            self._deletions.enqueue(message)

    def drop(self, message: InFlightMessage) -> None:
        """Remove a message whose lease is over or ends by itself: it is delivered again."""
        self._abandonment.drop(message)

    def keep_blocked(self, message: InFlightMessage) -> bool:
        """Keep a message that cannot be settled now; it is blocked until `complete`.

        When too many others are blocked it is hidden for SET_ASIDE_S instead and False is
        returned.
        """
        if self._in_flight.mark_blocked(message):
            return True
        self._tasks.start(self._abandonment.abandon(message, SET_ASIDE_S))
        return False

    async def drain(self, receiving: "asyncio.Future[None]", timeout_s: float) -> None:
        """Wait until no message is in flight and `receiving` is done, at most `timeout_s` seconds.

        It ends before when no message was settled for SILENT_S, because the broker is silent.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while self._in_flight or not receiving.done():
            now_s = loop.time()
            is_silent = now_s - self._in_flight.progress_s >= SILENT_S
            if now_s >= deadline or (is_silent and self._in_flight.unsettled):
                return
            await asyncio.sleep(_DRAIN_POLL_S)

    async def abandon_all(self, receiving: "asyncio.Future[None]", timeout_s: float) -> None:
        """Abandon every message in flight, and those received until `receiving` is done."""
        await self._abandonment.abandon_all(receiving, timeout_s)

    # Dead letters

    async def _dead_letter(self, message: InFlightMessage, rejection: Rejection) -> None:
        letter: str | None = None
        is_set_aside = False

        async def copy() -> None:
            nonlocal letter, is_set_aside
            try:
                letter = await self._queue.put_poison(message.delivery)
            except QueueDenied as error:
                self._log_refused(message, rejection, error)
                is_set_aside = not self.keep_blocked(message)
                if not is_set_aside:
                    raise

        copied = await self._retry_until_lease_ends(message, copy)
        if is_set_aside:
            return
        if not copied:
            self.drop(message)
            return
        self._settle(message, Outcome.DEAD_LETTERED, rejection)
        self.recent_dead_letters.add(message, rejection, letter)
        self._log(message, rejection, letter)
        await self._announce(message, rejection)
        self._deletions.add(message)

    def _log_refused(
        self, message: InFlightMessage, rejection: Rejection, error: QueueDenied
    ) -> None:
        """Log that the poison queue refuses a dead letter, with what it takes to find it."""
        if (repeats := self._refusals.due("refused", message.id)) is not None:
            log.warning(
                "a dead letter cannot be kept: the poison queue refuses it; its message waits, "
                "and others go on",
                message=message.id,
                reason=str(rejection.reason),
                error=str(error),
                **repeats,
            )

    def _log(self, message: InFlightMessage, rejection: Rejection, letter: str | None) -> None:
        """Log a dead letter, unless there are many; the poison queue and MQTT have each."""
        repeats = self._repeats.due("dead letter", message.id)
        if repeats is not None:
            log.warning(
                "dead letter: kept in the poison queue",
                message=message.id,
                # The id by which `poller dead-letters` knows it; the queue does not keep the rest.
                letter=letter,
                reason=str(rejection.reason),
                detail=rejection.detail,
                attempts=message.delivery.body.attempts,
                **repeats,
            )

    async def _retry_until_lease_ends(
        self, message: InFlightMessage, operation: Callable[[], Awaitable[None]]
    ) -> bool:
        """Repeat a queue operation until it succeeds; returns False when the lease ends before.

        Nothing is sent for a message whose lease is over.
        """
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            await self._queue.wait_retry_after()
            if message.is_expired(loop.time()):
                return False
            try:
                await operation()
            except (QueueUnavailable, QueueDenied):
                delay_s = RETRY_BACKOFF.delay(attempt, random.random())  # noqa: S311 - jitter
                left_s = max(0.0, message.delivery.leased_until - loop.time())
                await asyncio.sleep(min(delay_s, left_s))
                attempt += 1
            else:
                return True

    async def _announce(self, message: InFlightMessage, rejection: Rejection) -> None:
        try:
            async with asyncio.timeout(ANNOUNCE_TIMEOUT_S):
                await self._announcer.wait_ready()
                await self._announcer.announce(_announcement(message, rejection))
        except (BrokerLost, PublishRefused, TimeoutError) as error:
            if (repeats := self._repeats.due("not announced")) is not None:
                log.warning(
                    "dead letter not announced on MQTT; the poison queue has it",
                    message=message.id,
                    error=str(error),
                    **repeats,
                )

    def _settle(
        self, message: InFlightMessage, outcome: Outcome, rejection: Rejection | None = None
    ) -> None:
        self._in_flight.settle(message, outcome)
        self._in_flight.unblock(message)
        if rejection is None:
            self._counters[outcome].inc()
        else:
            self._metrics.dead_lettered.labels(rejection.reason).inc()


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
