"""MQTT consumer: decodes messages from the broker, stores them, and publishes what changes."""

import asyncio
import time
from collections.abc import Iterator
from typing import Final, Protocol

from msgspec import UNSET
from prometheus_client import Counter

from contract.availability import KEPT_BY, POLLER
from contract.frames import Status
from contract.timestamps import MAX_CLOCK_SKEW_MS
from contract.topics import OFFLINE, ONLINE, Topics
from contract.updates import Update, decode_state
from gateway.metrics import GatewayMetrics
from gateway.state.presence import Instant, PresenceTracker, Received, SignOfLife
from gateway.state.state_age import is_too_far_ahead, live_age_ms, retained_age
from gateway.state.state_store import Change
from gateway.state.warn_once import WarnOnce
from runtime.mqtt import Message, user_property
from runtime.queue_aware_clock import Clock, Reading
from runtime.reachable_time import ReachableTime

EXPIRY_CHECK_S: Final = 0.25
"""The longest pause between two checks for expired pillows: how late `notconnected` may be."""

MIN_EXPIRY_CHECK_S: Final = 0.01
"""The shortest such pause, so that deadlines close together share a check."""

LATE_CHECK_MS: Final = 1000
"""A check that is later than this follows a stop of the process or the machine."""

SLICE_S: Final = 0.002
"""How long a walk over many pillows holds the event loop."""

NOTABLE_OFFSET_MS: Final = 5000
"""From what difference of the wall clock to the queue's time on it is logged."""


class Publisher(Protocol):
    """What sends changes to the clients."""

    def publish(self, change: Change) -> None:
        """Send a change to every client that subscribed to its pillow."""

    def announce_broker(self, status: Status) -> None:
        """Send every client whether the gateway is connected to the broker."""


class MqttConsumer:
    """Feeds the presence tracker from MQTT, and publishes the changes."""

    def __init__(
        self,
        presence: PresenceTracker,
        publisher: Publisher,
        topics: Topics,
        metrics: GatewayMetrics,
        clock: Clock,
    ) -> None:
        self._presence = presence
        self._publisher = publisher
        self._topics = topics
        self._metrics = metrics
        self._clock = clock
        self._received: dict[str, Counter] = {}  # by outcome: `labels` is dearer than a lookup
        self._broker_is_ready = False
        self._broker_was_ready = False
        self._reachable = ReachableTime()
        self._reconciliation: Iterator[Change | None] | None = None
        # Retained states whose age came from the wall clock, until the queue's time is known.
        self._provisional: dict[str, Update] = {}
        self._warnings = WarnOnce()
        self.notes = self._warnings.notes

    def receive(self, message: Message) -> None:
        """Process one MQTT message; the session calls it for each, in order. It never raises.

        A message changes everything that it is about, or nothing.
        """
        try:
            self._receive(message)
        except Exception as error:
            # Caught, because one message must not keep the others from being processed.
            self._count("error")
            self._warnings.error(message.topic, error)

    def _receive(self, message: Message) -> None:
        topic = self._topics.parse(message.topic)
        if topic is None:
            self._count("unknown-topic")
        elif topic.kind == "availability":
            self._receive_availability(topic.pillow, message)
        elif not message.payload:
            self._count("removed")
            self.notes.add(topic.pillow, "removed")
            self._provisional.pop(topic.pillow, None)
            self._publish(self._presence.remove(topic.pillow))
        else:
            self._receive_state(topic.pillow, message)

    def _receive_state(self, pillow: str, message: Message) -> None:
        clock = self._clock.read()
        update = decode_state(pillow, message.payload, now_ms=clock.reference_ms)
        if isinstance(update, str):
            self._count("invalid")
            self._warnings.refused(message.topic, update)
            return
        if not message.retained:
            self._provisional.pop(pillow, None)
        if self._clock.observe(update, clock, message.expiry_s, retained=message.retained):
            clock = self._clock.read()
        if is_too_far_ahead(update, queue_ms=clock.queue_ms, reference_ms=clock.reference_ms):
            self._count("ahead")
            self._warnings.refused(
                message.topic,
                "more than five minutes in the future: remove it, or set the clock there or here",
            )
            return
        now = Instant(self._reachable.advance(clock.monotonic_ms), clock.wall_ms)
        sign = self._sign_of_life(update, message, clock, now)
        received = self._presence.receive(update, sign, now)
        self._handle(received, update, message)

    def _sign_of_life(
        self, update: Update, message: Message, clock: Reading, now: Instant
    ) -> SignOfLife:
        if not message.retained:
            clock_is_behind = (
                update.published_ms is None
                and clock.reference_ms is not None
                and update.order[0] // 1000 < clock.reference_ms - MAX_CLOCK_SKEW_MS
            )
            return SignOfLife(now.ms - live_age_ms(update), False, clock_is_behind)
        age = retained_age(
            update, expiry_s=message.expiry_s, queue_ms=clock.queue_ms, wall_ms=now.wall_ms
        )
        if age.is_provisional:
            self._provisional[update.pillow] = update
        return SignOfLife(now.ms - age.ms, is_retained=True)

    def _handle(self, received: Received, update: Update, message: Message) -> None:
        outcome, changes, clock_is_behind = received
        # Before everything that may fail, because the store has the changes already.
        for change in changes:
            self._publish(change)
        self._count(outcome)
        if outcome == "over-limit":
            self._provisional.pop(update.pillow, None)
            self._warnings.over_limit(message.topic)
        elif outcome == "taken":
            if not message.retained:
                self._metrics.send_times.add(update.queued_ms, update.published_ms)
            if len(changes) > 1:
                self._provisional.pop(changes[0].pillow, None)
                self._metrics.forgotten.inc()
                self._warnings.over_limit(message.topic)
        elif clock_is_behind:
            self._metrics.clock_behind.inc()
            self._warnings.clock_is_behind(message.topic)

    def _receive_availability(self, pillow: str, message: Message) -> None:
        # An empty payload clears the retained availability: then only silence counts.
        if message.payload not in (ONLINE, OFFLINE, b""):
            self._count("invalid")
            self._warnings.refused(
                message.topic, f"{message.payload[:40]!r}, not online or offline"
            )
            return
        self._count("availability")
        if user_property(message.properties, KEPT_BY) == POLLER:
            # A poller has found the pillow silent, or awake. How long a silence is allowed here,
            # GATEWAY_EXPIRE_AFTER says, and what the poller found may cross a newer state.
            return
        online = message.payload != OFFLINE
        self._publish(
            self._presence.set_availability(pillow, online, self.now(), retained=message.retained)
        )

    def on_broker_ready(self, *, delivers_retained: bool = True) -> None:
        """Publish that the broker is there; its retained states have arrived, if it has any."""
        self._reachable.start(self._clock.monotonic_ms())
        if not delivers_retained:
            # Nothing is known of what the broker retains, so nothing counts as removed.
            self._presence.confirm_all()
        if self._broker_was_ready:
            self._reconciliation = self._presence.reconcile()
            if self._run_slice(self._reconciliation):
                self._reconciliation = None
        self._broker_is_ready = self._broker_was_ready = True
        self._clock.settle(has_pollers=bool(self._provisional))
        self._metrics.broker_up.set(1)
        retained = UNSET if delivers_retained else False
        self._publisher.announce_broker(Status("online", retained))

    def on_broker_lost(self) -> None:
        """Publish that the broker is away, so that no state is live until it is back."""
        self._reachable.stop(self._clock.monotonic_ms())
        self._broker_is_ready = False
        self._reconciliation = None
        self._metrics.broker_up.set(0)
        self._presence.mark_unconfirmed()
        self._publisher.announce_broker(Status("offline"))

    async def run(self) -> None:
        """Publish the pillows that expire, until cancelled.

        Nothing expires while the broker is away, because silence means nothing then.
        """
        while True:
            pause_s = self._expiry_pause_s()
            planned_ms = self._clock.monotonic_ms() + pause_s * 1000
            await asyncio.sleep(pause_s)
            if self._clock.monotonic_ms() - planned_ms > LATE_CHECK_MS:
                # What arrived while the process stood still is read first.
                await asyncio.sleep(EXPIRY_CHECK_S)
            steps = self._due()
            while not self._run_slice(steps):  # noqa: ASYNC110 - the loop does the work
                await asyncio.sleep(0)
            self._warn_of_offset()

    def _due(self) -> Iterator[Change | None]:
        """Walk over everything that time has made due; ends when the broker is lost."""
        for walk in (self._reconcile, self._correct, self._expire, self._forget):
            if not self._broker_is_ready:
                return
            for step in walk():
                yield step
                if not self._broker_is_ready:
                    return

    def _reconcile(self) -> Iterator[Change | None]:
        reconciliation = self._reconciliation
        if reconciliation is not None:
            yield from reconciliation
            if self._reconciliation is reconciliation:
                self._reconciliation = None

    def _correct(self) -> Iterator[Change | None]:
        """Judge retained states anew by the queue's time, once it is known."""
        while self._provisional and (clock := self._clock.read()).queue_ms is not None:
            _, update = self._provisional.popitem()
            now = self.now()
            age = retained_age(
                update, expiry_s=None, queue_ms=clock.queue_ms, wall_ms=clock.wall_ms
            )
            yield self._presence.correct(update, now.ms - age.ms, now)

    def _expire(self) -> Iterator[Change | None]:
        for change in self._presence.expire(self.now()):
            self._metrics.expired.inc(change is not None)
            yield change

    def _forget(self) -> Iterator[Change | None]:
        for change in self._presence.forget(self.now()):
            self._metrics.forgotten.inc()
            if change is not None:
                self._provisional.pop(change.pillow, None)
            yield change

    def _run_slice(self, steps: Iterator[Change | None]) -> bool:
        """Publish changes for SLICE_S; return whether there are no more."""
        end_s = time.perf_counter() + SLICE_S
        for change in steps:
            self._publish(change)
            if time.perf_counter() >= end_s:
                return False
        return True

    def _publish(self, change: Change | None) -> None:
        if change is not None:
            self._publisher.publish(change)

    def now(self) -> Instant:
        """Return the present, as the presence tracker measures it."""
        reachable_ms = self._reachable.advance(self._clock.monotonic_ms())
        return Instant(reachable_ms, self._clock.wall_ms())

    def _expiry_pause_s(self) -> float:
        """Return the pause until the next check for expired pillows, in seconds."""
        deadline_ms = self._presence.next_deadline_ms() if self._broker_is_ready else None
        if deadline_ms is None:
            return EXPIRY_CHECK_S
        until_deadline_s = (deadline_ms - self.now().ms + 1) / 1000
        # A deadline that is scheduled during the pause may be earlier than this one.
        return max(MIN_EXPIRY_CHECK_S, min(until_deadline_s, EXPIRY_CHECK_S))

    def _warn_of_offset(self) -> None:
        offset_ms = self._clock.read().queue_offset_ms
        if offset_ms is not None and abs(offset_ms) > NOTABLE_OFFSET_MS:
            self._warnings.clock_differs(offset_ms / 1000)

    def _count(self, outcome: str) -> None:
        counter = self._received.get(outcome)
        if counter is None:
            counter = self._received[outcome] = self._metrics.received.labels(outcome)
        counter.inc()
