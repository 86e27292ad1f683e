"""MQTT consumer: decodes messages from the broker, stores them, and publishes what changes."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import structlog
from prometheus_client import Counter

from contract.frames import BrokerStatus
from contract.topics import OFFLINE, ONLINE, Topics
from contract.updates import Update, decode_state
from gateway.clock import unix_ms
from gateway.metrics import GatewayMetrics
from gateway.state.presence import PresenceTracker
from gateway.state.state_store import Change
from runtime.mqtt import Message

log = structlog.get_logger()

EXPIRY_CHECK_S: Final = 0.25
"""The longest pause between two checks for expired pillows: how late `notconnected` may be."""

MIN_EXPIRY_CHECK_S: Final = 0.01
"""The shortest such pause, so that deadlines close together share a check."""

MAX_WARNED_TOPICS: Final = 1000
"""For how many topics a refused message is logged; every one is counted."""


class Publisher(Protocol):
    """What sends changes to the clients."""

    def publish(self, change: Change) -> None:
        """Send a change to every client that subscribed to its pillow."""

    def announce_broker(self, status: BrokerStatus) -> None:
        """Send every client whether the gateway is connected to the broker."""


def last_seen_ms(update: Update, *, retained: bool, now_ms: int) -> int:
    """Return when a pillow gave the sign of life that an update is, in Unix milliseconds.

    A new state is as old as it waited in the queue: the difference of two hops, so that the
    gateway's clock does not matter. The age of a retained state is given by its hops or `at`.
    The result is never after `now_ms`.
    """
    waited_ms = 0
    if update.published_ms is not None and update.queued_ms is not None:
        waited_ms = max(0, update.published_ms - update.queued_ms)
    if not retained:
        return now_ms - waited_ms
    at_ms = update.order[0] // 1000
    published_ms = at_ms if update.published_ms is None else update.published_ms
    return min(now_ms, published_ms) - waited_ms


class MqttConsumer:
    """Feeds the presence tracker from MQTT, and publishes the changes.

    `clock` gives Unix milliseconds.
    """

    def __init__(
        self,
        presence: PresenceTracker,
        publisher: Publisher,
        topics: Topics,
        metrics: GatewayMetrics,
        clock: Callable[[], int] = unix_ms,
    ) -> None:
        self._presence = presence
        self._publisher = publisher
        self._topics = topics
        self._metrics = metrics
        self._clock = clock
        self._received: dict[str, Counter] = {}  # by outcome: `labels` is dearer than a lookup
        self._broker_is_ready = False
        self._broker_was_ready = False
        self._warned_topics: set[str] = set()

    def receive(self, message: Message) -> None:
        """Process one MQTT message; the session calls it for each, in order."""
        topic = self._topics.parse(message.topic)
        if topic is None:
            self._count("unknown-topic")
        elif topic.kind == "availability":
            self._receive_availability(topic.pillow, message)
        elif not message.payload:
            self._count("removed")
            self._publish(self._presence.remove(topic.pillow))
        else:
            self._receive_state(topic.pillow, message)

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
                "more than five minutes in the future: remove it, or set the clock there or here",
            )
            return
        outcome = self._presence.receive(
            update,
            last_seen_ms=last_seen_ms(update, retained=message.retained, now_ms=now_ms),
            now_ms=now_ms,
            retained=message.retained,
        )
        if not isinstance(outcome, Change):
            self._count(outcome)
            return
        self._count("taken")
        if not message.retained and update.queued_ms is not None:
            self._metrics.latency.observe(max(0, now_ms - update.queued_ms) / 1000)
        self._publish(outcome)

    def _receive_availability(self, pillow: str, message: Message) -> None:
        # An empty payload clears the retained availability: then only silence counts.
        if message.payload not in (ONLINE, OFFLINE, b""):
            self._count("invalid")
            self._warn_once(message.topic, f"{message.payload[:40]!r}, not online or offline")
            return
        self._count("availability")
        online = message.payload != OFFLINE
        self._publish(self._presence.set_availability(pillow, online, self._clock()))

    def on_broker_ready(self) -> None:
        """Publish that the broker is there; its retained states have arrived."""
        if self._broker_was_ready:
            for change in self._presence.reconcile(self._clock()):
                self._publish(change)
        self._broker_is_ready = self._broker_was_ready = True
        self._metrics.broker_up.set(1)
        self._publisher.announce_broker("online")

    def on_broker_lost(self) -> None:
        """Publish that the broker is away, so that no state is live until it is back."""
        self._broker_is_ready = False
        self._metrics.broker_up.set(0)
        self._presence.mark_unconfirmed()
        self._publisher.announce_broker("offline")

    async def run(self) -> None:
        """Publish the pillows that expire, until cancelled.

        Nothing expires while the broker is away, because silence means nothing then.
        """
        while True:
            await asyncio.sleep(self._expiry_pause_s())
            if self._broker_is_ready:
                for change in self._presence.expire(self._clock()):
                    self._metrics.expired.inc()
                    self._publish(change)

    def _publish(self, change: Change | None) -> None:
        if change is not None:
            self._publisher.publish(change)

    def _expiry_pause_s(self) -> float:
        """Return the pause until the next check for expired pillows, in seconds."""
        deadline_ms = self._presence.next_deadline_ms() if self._broker_is_ready else None
        if deadline_ms is None:
            return EXPIRY_CHECK_S
        until_deadline_s = (deadline_ms - self._clock() + 1) / 1000
        # A deadline that is scheduled during the pause may be earlier than this one.
        return max(MIN_EXPIRY_CHECK_S, min(until_deadline_s, EXPIRY_CHECK_S))

    def _count(self, outcome: str) -> None:
        counter = self._received.get(outcome)
        if counter is None:
            counter = self._received[outcome] = self._metrics.received.labels(outcome)
        counter.inc()

    def _warn_once(self, topic: str, reason: str) -> None:
        """Log a refused message once a topic, because a faulty publisher repeats its fault."""
        if topic not in self._warned_topics and len(self._warned_topics) < MAX_WARNED_TOPICS:
            self._warned_topics.add(topic)
            log.warning(
                "refused an MQTT message; further ones of this topic are only counted",
                topic=topic,
                reason=reason,
            )
