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
from poller.consume.classify import route
from poller.consume.consumer import Receiver
from poller.consume.in_flight import Hand, Item
from poller.consume.lease_renewal import Leases
from poller.consume.polling import Policy
from poller.metrics import PollerMetrics
from poller.publish.last_write import Newest
from poller.publish.publisher import Publisher
from poller.publish.reconciler import Healer
from poller.publish.state_publisher import Broker
from poller.queues import Queue, QueueDenied, QueueUnavailable, ReceivedMessage
from poller.settle.queue_health import Troubles
from poller.settle.settlement import Endings
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
        broker: Broker,
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

        self._newest = Newest()
        self._tasks = Tasks()
        self._hand = Hand()
        self._troubles = Troubles(self._hand, metrics)
        self._healer = Healer(broker, self._newest, self._tasks, metrics, clock_ms)
        self._endings = Endings(queue, broker, self._hand, self._troubles, self._tasks, metrics)
        self._leases = Leases(queue, self._hand, self._troubles, metrics, visibility_s)
        self._publisher = Publisher(
            broker,
            self._hand,
            self._newest,
            self._healer,
            self._endings,
            self._tasks,
            metrics,
            clock_ms,
            newest_only=newest_only,
        )
        self._receiver = Receiver(
            queue, broker, self._hand, self._troubles, self._tasks, metrics, policy, self._take
        )
        metrics.in_hand.set_function(lambda: len(self._hand))

    @property
    def queue_state(self) -> str:
        """`ok`, or what the queue did not do and why."""
        return self._troubles.state

    @property
    def broker_state(self) -> str:
        """`ok`, or the broker's reason to refuse what it is sent."""
        return self._publisher.state

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set, then finish or give back what is in hand."""
        try:
            async with asyncio.TaskGroup() as group:
                self._tasks.open(group)
                self._endings.start()
                beside = (
                    group.create_task(self._leases.run()),
                    group.create_task(self._measure_depth()),
                )
                await self._receiver.run(stopping)
                with suppress(TimeoutError):
                    async with asyncio.timeout(DRAIN_S):
                        await self._hand.empty()
                self._publisher.close()
                for task in beside:
                    task.cancel()
                await self._tasks.cancel()
                await self._endings.let_go()
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
        self._healer.heal(self._newest.see(update))

    def see_removed(self, pillow: str) -> None:
        """Take in that a pillow was removed from the broker."""
        self._newest.forget(pillow)

    def broker_ready(self) -> None:
        """Take in that the broker has told all it retains."""
        self._metrics.broker_up.set(1)
        for update in tuple(self._newest.missing(self._lost_ms - UNSAVED_MS)):
            self._healer.heal(update)

    def broker_lost(self) -> None:
        """Take in that the broker is gone."""
        self._metrics.broker_up.set(0)
        self._lost_ms = self._clock_ms()
        self._newest.lose_broker()

    # What the queue hands out

    def _take(self, page: list[ReceivedMessage]) -> None:
        polled_ms = self._clock_ms()
        self._metrics.received.inc(len(page))
        readings: list[tuple[Item, ParsedMessage]] = []
        for message in page:
            self._metrics.attempts.observe(message.body.attempts)
            mine = self._hand.of(message.id)
            if mine is not None:
                # It outlived its lease in our hand; the new receipt is the one that deletes.
                mine.message.pop_receipt = message.pop_receipt
                mine.message.leased_until = message.leased_until
                mine.lost = False
                self._metrics.retried.inc()
                continue
            item = self._hand.take(message, polled_ms)
            if self._hand.had_ended(message.id):
                # Published or buried before, and only its deletion had failed.
                self._metrics.retried.inc()
                self._endings.finish(item)
                continue
            decision = route(
                message.body, default_pillow=self._default_pillow, max_attempts=self._max_attempts
            )
            if isinstance(decision, Rejection):
                self._endings.bury(item, decision)
            elif isinstance(decision, ParsedMessage):
                readings.append((item, decision))
            elif not self._publisher.supersede(item, decision.reading):
                self._endings.bury(item, decision.rejection)
        self._publisher.publish(readings)

    async def _measure_depth(self) -> None:
        await self._troubles.answered.wait()  # before that there may be no queue yet
        said = False
        while True:
            await self._troubles.quiet()
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
