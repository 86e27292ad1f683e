"""MQTT consumer: messages from the broker to the detector, and its decisions to the outbox."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from contract.topics import OFFLINE, ONLINE, Topics
from contract.updates import decode_state
from notifier.detect.detector import Decision, Detector
from notifier.metrics import NotifierMetrics
from notifier.moments import Moments
from runtime.log_repeats import LogRepeats
from runtime.mqtt import Message

log = structlog.get_logger()

CHECK_S: Final = 0.25
"""The time between two looks at what is due, in seconds: how late an event may be."""


class MqttConsumer:
    """Feeds the detector from MQTT. It never waits for the outbox or a destination."""

    def __init__(
        self,
        detector: Detector,
        add: Callable[[Decision], None],
        topics: Topics,
        metrics: NotifierMetrics,
        moments: Moments,
    ) -> None:
        """`add` takes over what was decided."""
        self._detector = detector
        self._add = add
        self._topics = topics
        self._metrics = metrics
        self._moments = moments
        self._connection = 0
        self._is_ready = False
        self._repeats = LogRepeats()
        metrics.observe(
            pillows=lambda: len(detector.pillows),
            forgotten=lambda: detector.pillows.forgotten,
            ignored=lambda: detector.queue.ignored,
        )

    @property
    def filters(self) -> tuple[str, ...]:
        """What is subscribed to."""
        topics = self._topics
        return (
            topics.all_states,
            topics.all_availability,
            topics.status("poller", "+"),
            topics.queue("+"),
            topics.dead_letter("+"),
        )

    def receive(self, message: Message, connection: int) -> None:
        """Process one message; `connection` is the number of the connection that it came on."""
        if connection != self._connection:
            self._connection = connection
            self._detector.pillows.on_connecting()
        topic = self._topics.parse(message.topic)
        if topic is not None and topic.kind == "state":
            self._receive_state(topic.pillow, message)
        elif topic is not None:
            self._receive_availability(topic.pillow, message)
        elif (poller := self._topics.parse_poller(message.topic)) is not None:
            self._receive_poller(*poller, message)
        else:
            self._count("unknown-topic")

    def on_ready(self, *, delivers_retained: bool) -> None:
        """Note that the broker is there, and has told what it retains."""
        self._is_ready = True
        self._metrics.broker_up.set(1)
        if delivers_retained:
            self._detector.pillows.on_ready()
        self._set_reachable()

    def on_lost(self) -> None:
        """Note that the broker is away: nobody can be heard of."""
        self._is_ready = False
        self._metrics.broker_up.set(0)
        self._set_reachable()

    async def run(self) -> None:
        """Look at what is due, until cancelled."""
        while True:
            await asyncio.sleep(CHECK_S)
            while self._is_ready:
                now = self._moments.now()
                self._decide(self._detector.check(now))
                if not self._detector.pillows.is_due(now):
                    break
                await asyncio.sleep(0)

    def _receive_state(self, pillow: str, message: Message) -> None:
        now = self._moments.now()
        if not message.payload:
            self._count("removed")
            self._decide(self._detector.remove(pillow, now))
            return
        update = decode_state(pillow, message.payload)
        if isinstance(update, str):
            self._ignore("invalid", message.topic, update)
            return
        if update.is_too_far_ahead(max(now.wall_ms, update.published_ms or 0)):
            self._ignore("ahead", message.topic, "more than five minutes in the future")
            return
        self._count("state")
        self._decide(
            self._detector.receive_state(
                update, now, retained=message.retained, expiry_s=message.expiry_s
            )
        )

    def _receive_availability(self, pillow: str, message: Message) -> None:
        if message.payload not in (ONLINE, OFFLINE):
            # An empty one clears the retained availability: then only silence counts.
            if message.payload:
                self._ignore("invalid", message.topic, "neither online nor offline")
            return
        self._count("availability")
        self._decide(
            self._detector.receive_availability(
                pillow,
                self._moments.now(),
                online=message.payload == ONLINE,
                retained=message.retained,
            )
        )

    def _receive_poller(self, kind: str, instance: str, message: Message) -> None:
        now, queue = self._moments.now(), self._detector.queue
        self._count(kind)
        if kind == "status":
            queue.receive_status(instance, message.payload, now.broker_ms)
        elif kind == "queue":
            if not queue.receive_report(instance, message.payload, now.broker_ms):
                self._ignore("invalid", message.topic, "no report on a queue")
        elif not message.retained:
            try:
                decision = self._detector.receive_dead_letter(instance, message.payload, now)
            except ValueError as error:
                self._ignore("invalid", message.topic, str(error))
            else:
                self._decide(decision)
        self._set_reachable()

    def _set_reachable(self) -> None:
        queue = self._detector.queue.is_reachable
        self._moments.set_reachable(broker=self._is_ready, queue=queue)

    def _decide(self, decision: Decision) -> None:
        if not decision:
            return
        for event, _ in decision.events:
            self._metrics.events.labels(event.rule).inc()
        for rule in decision.suppressed:
            self._metrics.suppressed.labels(rule).inc()
        self._add(decision)

    def _ignore(self, outcome: str, topic: str, reason: str) -> None:
        self._count(outcome)
        if (repeats := self._repeats.due(outcome, topic)) is not None:
            log.warning(
                "an MQTT message is ignored; further ones of its topic are only counted",
                topic=topic,
                reason=reason[:200],
                **repeats,
            )

    def _count(self, outcome: str) -> None:
        self._metrics.received.labels(outcome).inc()
