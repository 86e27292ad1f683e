"""The worker: receives, publishes, and deletes only what has been confirmed.

Messages of different pillows go side by side, those of one pillow in the order of their states.
A message leaves the worker in one of four ways, and each is counted:
published (the broker confirmed), superseded (a newer state was confirmed before), dead-lettered
(the poison queue confirmed), or retried (this delivery is not the one it ends with).

    receiving ──▶ hand ──▶ publishing ──▶ endings      each a module of its name,
                  leases   healing        troubles     put together and stopped here
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from contract.messages import ParsedMessage, Rejection
from contract.updates import Update
from poller.consume.classify import classify
from poller.consume.consumer import Consumer
from poller.consume.in_flight import InFlight, InFlightMessage
from poller.consume.lease_renewal import LeaseRenewal
from poller.consume.polling import Policy
from poller.metrics import PollerMetrics
from poller.publish.last_write import LastWrites
from poller.publish.publisher import Publisher
from poller.publish.reconciler import Reconciler
from poller.publish.state_publisher import StatePublisher
from poller.queues import Queue, QueueDenied, QueueUnavailable, ReceivedMessage
from poller.settle.queue_health import QueueHealth
from poller.settle.settlement import Settlement
from poller.tasks import Tasks

log = structlog.get_logger()

UNSAVED_MS: Final = 120_000
"""How long before we noticed its end a broker may have been given a state that it then forgot.

mosquitto saves twice a minute (mosquitto.conf), and one that falls silent is noticed after twice
KEEPALIVE_S; the rest is for clocks that differ and for machines that are late.
"""

DEPTH_S: Final = 30.0
"""The pause between two questions for the queue's depth: each is billed as any other request."""

DRAIN_S: Final = 4.0
"""How long a stop waits for what is in hand; see endings.RELEASE_S."""


class Worker:
    """Carries messages from a queue to a broker.

    With `newest_only`, of the states of a pillow that wait together only the newest is published.
    """

    def __init__(
        self,
        queue: Queue,
        broker: StatePublisher,
        metrics: PollerMetrics,
        policy: Policy,
        *,
        default_pillow: str,
        max_attempts: int,
        visibility_s: float,
        newest_only: bool = False,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._queue = queue
        self._metrics = metrics
        self._default_pillow = default_pillow
        self._max_attempts = max_attempts
        self._clock_ms = clock_ms
        self._lost_ms = 0

        self._last_writes = LastWrites()
        self._tasks = Tasks()
        self._in_flight = InFlight()
        self._health = QueueHealth(self._in_flight, metrics)
        self._reconciler = Reconciler(broker, self._last_writes, self._tasks, metrics, clock_ms)
        self._settlement = Settlement(
            queue, broker, self._in_flight, self._health, self._tasks, metrics
        )
        self._leases = LeaseRenewal(queue, self._in_flight, self._health, metrics, visibility_s)
        self._publisher = Publisher(
            broker,
            self._in_flight,
            self._last_writes,
            self._reconciler,
            self._settlement,
            self._tasks,
            metrics,
            clock_ms,
            newest_only=newest_only,
        )
        self._receiver = Consumer(
            queue, broker, self._in_flight, self._health, self._tasks, metrics, policy, self._take
        )
        metrics.in_hand.set_function(lambda: len(self._in_flight))

    @property
    def queue_state(self) -> str:
        """`ok`, or what the queue did not do and why."""
        return self._health.state

    @property
    def broker_state(self) -> str:
        """`ok`, or the broker's reason to refuse what it is sent."""
        return self._publisher.state

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set, then finish or give back what is in hand."""
        try:
            async with asyncio.TaskGroup() as group:
                self._tasks.open(group)
                self._settlement.start()
                beside = (
                    group.create_task(self._leases.run()),
                    group.create_task(self._measure_depth()),
                )
                await self._receiver.run(stopping)
                with suppress(TimeoutError):
                    async with asyncio.timeout(DRAIN_S):
                        await self._in_flight.empty()
                self._publisher.close()
                for task in beside:
                    task.cancel()
                await self._tasks.cancel()
                await self._settlement.abandon_all()
        finally:
            self._tasks.close()

    # What the broker tells

    def see(self, update: Update) -> None:
        """Take in a state that the broker sent.

        One from the future is not taken for the newest: it would supersede every message of its
        pillow until then.
        """
        if update.is_too_far_ahead(self._clock_ms()):
            self._metrics.ahead.inc()
            log.warning("a state from the future on MQTT is ignored", pillow=update.pillow)
            return
        self._reconciler.heal(self._last_writes.see(update))

    def see_removed(self, pillow: str) -> None:
        """Take in that a pillow was removed from the broker."""
        self._last_writes.forget(pillow)

    def broker_ready(self) -> None:
        """Take in that the broker has told all it retains."""
        self._metrics.broker_up.set(1)
        for update in tuple(self._last_writes.missing(self._lost_ms - UNSAVED_MS)):
            self._reconciler.heal(update)

    def broker_lost(self) -> None:
        """Take in that the broker is gone."""
        self._metrics.broker_up.set(0)
        self._lost_ms = self._clock_ms()
        self._last_writes.lose_broker()

    # What the queue hands out

    def _take(self, page: list[ReceivedMessage]) -> None:
        polled_ms = self._clock_ms()
        self._metrics.received.inc(len(page))
        readings: list[tuple[InFlightMessage, ParsedMessage]] = []
        for message in page:
            self._metrics.attempts.observe(message.body.attempts)
            mine = self._in_flight.of(message.id)
            if mine is not None:
                # It outlived its lease in our hand; the new receipt is the one that deletes.
                mine.message.pop_receipt = message.pop_receipt
                mine.message.leased_until = message.leased_until
                mine.lost = False
                self._metrics.retried.inc()
                continue
            item = self._in_flight.take(message, polled_ms)
            if self._in_flight.had_ended(message.id):
                # Published or buried before, and only its deletion had failed.
                self._metrics.retried.inc()
                self._settlement.complete(item)
                continue
            decision = classify(
                message.body, default_pillow=self._default_pillow, max_attempts=self._max_attempts
            )
            if isinstance(decision, Rejection):
                self._settlement.dead_letter(item, decision)
            elif isinstance(decision, ParsedMessage):
                readings.append((item, decision))
            elif not self._publisher.supersede(item, decision.reading):
                self._settlement.dead_letter(item, decision.rejection)
        self._publisher.publish(readings)

    async def _measure_depth(self) -> None:
        await self._health.answered.wait()  # before that there may be no queue yet
        said = False
        while True:
            await self._health.quiet()
            try:
                self._metrics.depth.set(await self._queue.depth())
                said = False
            except QueueUnavailable:
                pass  # counted as a request that failed; who receives will say so
            except QueueDenied as error:
                self._metrics.depth.set(float("nan"))
                if not said:
                    log.info("the queue's depth is not measured", why=str(error))
                said = True
            await asyncio.sleep(DEPTH_S)
