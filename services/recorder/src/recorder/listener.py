"""Listener: the states that the broker delivers, checked, for the recording."""

from typing import Final

import structlog

from contract.topics import Topics
from contract.updates import decode_state
from recorder.metrics import RecorderMetrics
from recorder.recording import Recording
from recorder.settings import RecorderSettings
from runtime.log_repeats import LogRepeats
from runtime.mqtt import Message, MqttSession, SessionConfig, Subscription
from runtime.queue_aware_clock import Clock
from runtime.session_metrics import observe_session

log = structlog.get_logger()

SERVICE: Final = "recorder"


class Listener:
    """Decodes each message; what is no state is counted, and said once a topic."""

    def __init__(
        self, recording: Recording, topics: Topics, clock: Clock, metrics: RecorderMetrics
    ) -> None:
        self._recording = recording
        self._topics = topics
        self._clock = clock
        self._metrics = metrics
        self._repeats = LogRepeats()

    def receive(self, message: Message) -> None:
        """Take one MQTT message; the session calls it for each, in order."""
        topic = self._topics.parse(message.topic)
        if topic is None or topic.kind != "state":
            self._metrics.received.labels("unknown-topic").inc()
            return
        if not message.payload:
            self._metrics.received.labels("removed").inc()  # what was recorded stays
            return
        now = self._clock.read()
        update = decode_state(topic.pillow, message.payload, now_ms=now.reference_ms)
        if isinstance(update, str):
            self._refuse(message.topic, "invalid", update)
            return
        self._clock.observe(update, now, message.expiry_s, retained=message.retained)
        now_ms = self._clock.read().reference_ms
        if now_ms is not None and update.is_too_far_ahead(now_ms):
            self._refuse(message.topic, "ahead", "more than five minutes in the future")
            return
        self._metrics.received.labels("state").inc()
        self._recording.receive(update)

    def _refuse(self, topic: str, outcome: str, reason: str) -> None:
        self._metrics.received.labels(outcome).inc()
        if (repeats := self._repeats.due("refused", topic)) is not None:
            log.warning(
                "refused an MQTT message; further ones of this topic are only counted",
                topic=topic,
                reason=reason,
                **repeats,
            )


def listen_to_broker(
    settings: RecorderSettings,
    topics: Topics,
    recording: Recording,
    clock: Clock,
    metrics: RecorderMetrics,
) -> MqttSession:
    """Return the session that feeds the recording; it is not running."""
    listener = Listener(recording, topics, clock, metrics)

    def be_ready() -> None:
        clock.settle(has_pollers=True)
        recording.on_ready()

    session = MqttSession(
        SessionConfig.for_service(settings, SERVICE),
        Subscription([topics.all_states]),
        on_message=listener.receive,
        on_ready=be_ready,
        on_lost=recording.on_lost,
    )
    observe_session(SERVICE, session, metrics.registry)
    return session
