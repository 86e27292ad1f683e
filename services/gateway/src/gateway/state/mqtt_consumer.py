"""The live side: what arrives from MQTT goes into the store, and on to everyone who listens."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog
from prometheus_client import Counter

from contract.topics import OFFLINE, ONLINE, Topics
from contract.updates import Update, decode_state
from gateway.fanout.dispatcher import Dispatcher
from gateway.metrics import GatewayMetrics
from gateway.state.state_store import Change, StateStore
from runtime.mqtt import Message

log = structlog.get_logger()

EXPIRY_CHECK_S: Final = 0.25
"""How often silent pillows are looked for at least: how late `notconnected` may come."""

MAX_WARNED_TOPICS: Final = 1000
"""For how many topics a refusal is logged; all are counted."""


def wall_ms() -> int:
    """Return the time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


def heard_ms(update: Update, *, live: bool, now_ms: int) -> int:
    """Return when a pillow gave the sign of life that an update is.

    News is as old as it lay in the queue: the difference of two hops, so that a gateway's clock
    does not matter. A retained state is as old as it says.
    """
    waited_ms = 0
    if update.published_ms is not None and update.queued_ms is not None:
        waited_ms = max(0, update.published_ms - update.queued_ms)
    if live:
        return now_ms - waited_ms
    said_ms = update.order[0] // 1000 if update.published_ms is None else update.published_ms
    return min(now_ms, said_ms) - waited_ms


class MqttConsumer:
    """Feeds the store, and publishes what that changes."""

    def __init__(
        self,
        store: StateStore,
        topics: Topics,
        metrics: GatewayMetrics,
        *,
        clock: Callable[[], int] = wall_ms,
    ) -> None:
        self.store = store
        self.dispatcher = Dispatcher(store, metrics, clock)
        self.metrics = metrics
        self._topics = topics
        self._clock = clock
        self._received: dict[str, Counter] = {}
        self._was_ready = False
        self._complained: set[str] = set()
        metrics.pillows.set_function(lambda: len(store))
        metrics.history_bytes.set_function(lambda: store.history_bytes)

    def receive(self, message: Message) -> None:
        """Take in one MQTT message; called by the session, in order."""
        about = self._topics.parse(message.topic)
        if about is None:
            self._count("unknown-topic")
        elif about.kind == "availability":
            self._receive_availability(about.pillow, message.payload)
        elif not message.payload:
            self._count("removed")
            self._publish(self.store.remove(about.pillow))
        else:
            self._receive_state(about.pillow, message)

    def _receive_state(self, pillow: str, message: Message) -> None:
        update = decode_state(pillow, message.payload)
        if isinstance(update, str):
            self._count("invalid")
            self._warn_once(message.topic, update)
            return
        now_ms = self._clock()
        if update.is_too_far_ahead(now_ms):
            self._count("ahead")
            self._warn_once(
                message.topic,
                "from the future, more than a day: remove it, or set the clock there or here",
            )
            return
        live = not message.retained
        outcome = self.store.receive(
            update, heard_ms=heard_ms(update, live=live, now_ms=now_ms), now_ms=now_ms, live=live
        )
        if not isinstance(outcome, Change):
            self._count(outcome)
            return
        self._count("taken")
        if live and update.queued_ms is not None:
            self.metrics.latency.observe(max(0, now_ms - update.queued_ms) / 1000)
        self._publish(outcome)

    def _receive_availability(self, pillow: str, payload: bytes) -> None:
        if payload not in (ONLINE, OFFLINE, b""):
            self._count("invalid")
            self._warn_once(
                self._topics.availability(pillow), f"{payload[:40]!r}, not online or offline"
            )
            return
        self._count("availability")
        self._publish(self.store.set_availability(pillow, payload != OFFLINE, self._clock()))

    def broker_ready(self) -> None:
        """Say that the broker is there and its retained states have arrived."""
        if self._was_ready:
            for change in self.store.reconcile(self._clock()):
                self._publish(change)
        self._was_ready = True
        self.metrics.broker_up.set(1)
        self.dispatcher.announce_broker("online")

    def broker_lost(self) -> None:
        """Say that nothing is live until the broker is back."""
        self.metrics.broker_up.set(0)
        self.store.mark_unconfirmed()
        self.dispatcher.announce_broker("offline")

    async def run(self) -> None:
        """Publish pillows that fell silent, until cancelled."""
        while True:
            await asyncio.sleep(self._pause_s())
            # While the broker is away nothing can be heard, and silence means nothing.
            if self.dispatcher.broker == "online":
                for change in self.store.expire(self._clock()):
                    self.metrics.expired.inc()
                    self.dispatcher.publish(change)

    def _publish(self, change: Change | None) -> None:
        if change is not None:
            self.dispatcher.publish(change)

    def _pause_s(self) -> float:
        """Return how long nothing is due, in seconds."""
        # Without a broker nothing expires, however long it is overdue.
        deadline_ms = self.store.next_deadline_ms() if self.dispatcher.broker == "online" else None
        until_deadline_s = (
            EXPIRY_CHECK_S if deadline_ms is None else (deadline_ms - self._clock() + 1) / 1000
        )
        # A deadline made meanwhile may be earlier than the one that is slept for: look often.
        return max(0.01, min(until_deadline_s, EXPIRY_CHECK_S))

    def _count(self, outcome: str) -> None:
        counter = self._received.get(outcome)
        if counter is None:
            counter = self._received[outcome] = self.metrics.received.labels(outcome)
        counter.inc()

    def _warn_once(self, topic: str, why: str) -> None:
        # Who publishes nonsense does so again and again: one line a topic, and a counter.
        if topic not in self._complained and len(self._complained) < MAX_WARNED_TOPICS:
            self._complained.add(topic)
            log.warning(
                "refused an MQTT message; further ones of this topic are only counted",
                topic=topic,
                why=why,
            )
