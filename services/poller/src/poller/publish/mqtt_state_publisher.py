"""The broker over MQTT: a StatePublisher on a session of its own; calls a BrokerEventHandler."""

import asyncio
import math
from typing import Final

from contract.topics import Topics
from contract.updates import CONTENT_TYPE, EXPIRY_S, Update, decode_state
from poller.publish.publish_confirms import PublishConfirms
from poller.publish.state_publisher import BrokerEventHandler
from poller.settings import PollerSettings
from runtime.mqtt import Message, MqttSession, SessionConfig, Subscription

OTHER_POLLER_S: Final = 5.0
"""For how long after its last state another poller counts as active, in seconds."""


class MqttStatePublisher:
    """Publishes states and announcements, and reads the states on the broker.

    `listener` has to be set before `run`.
    With MQTT 3.1.1 a state is confirmed when it has also come back; see PublishConfirms.
    """

    listener: BrokerEventHandler

    def __init__(self, settings: PollerSettings, service: str) -> None:
        self._topics = Topics(settings.topic_prefix)
        self._dead_letter_topic = self._topics.dead_letter(settings.instance)
        self._confirms = PublishConfirms() if settings.mqtt_protocol == "3.1.1" else None
        self._other_poller_s = -math.inf
        """When a state of another poller arrived, by the event loop's clock."""
        self._session = MqttSession(
            SessionConfig(
                settings.broker,
                settings.mqtt_protocol,
                service=service,
                instance=settings.instance,
                status_topic=self._topics.status(service, settings.instance),
                mark_topic=self._topics.mark(service, settings.instance),
            ),
            Subscription((self._topics.all_states,), no_local=True),
            on_message=self._on_message,
            on_ready=lambda: self.listener.on_ready(),
            on_lost=self._on_lost,
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Keep the session connected until `stopping` is set."""
        await self._session.run(stopping)

    @property
    def is_ready(self) -> bool:
        """Whether the session is connected and every retained state has been delivered."""
        return self._session.is_ready

    @property
    def last_error(self) -> str:
        """Why the session is not ready, for readiness."""
        return self._session.last_error

    @property
    def limitation(self) -> str | None:
        """What the broker cannot do, for readiness; None if nothing."""
        return self._session.limitation

    @property
    def oversized(self) -> int:
        """How many messages of the broker were discarded because they were too large."""
        return self._session.oversized

    @property
    def shares_queue(self) -> bool:
        """Whether another poller has published a state in the last seconds."""
        return asyncio.get_running_loop().time() - self._other_poller_s < OTHER_POLLER_S

    async def wait_ready(self) -> None:
        """Wait until `is_ready`."""
        await self._session.wait_ready()

    def publish_state(self, update: Update, traceparent: str | None) -> asyncio.Future[None]:
        """Publish a retained state with its expiry; see StatePublisher."""
        acknowledged = self._session.publish(
            self._topics.state(update.pillow),
            update.payload,
            retain=True,
            content_type=CONTENT_TYPE,
            expiry_s=EXPIRY_S,
            user_properties=(("traceparent", traceparent),) if traceparent else (),
        )
        if self._confirms is None:
            return acknowledged
        return self._confirms.expect(update.pillow, update.payload, acknowledged)

    def announce(self, letter: bytes) -> asyncio.Future[None]:
        """Publish the announcement of a dead letter; see StatePublisher."""
        return self._session.publish(self._dead_letter_topic, letter, content_type=CONTENT_TYPE)

    def _on_message(self, message: Message) -> None:
        topic = self._topics.parse(message.topic)
        if topic is None:
            return
        is_own = self._confirms is not None and self._confirms.receive(
            topic.pillow, message.payload
        )
        if not message.payload:
            self.listener.on_removed(topic.pillow)
            return
        update = decode_state(topic.pillow, message.payload)
        if isinstance(update, Update):
            # Only a poller knows when a state was put on the queue.
            if not is_own and not message.retained and update.queued_ms is not None:
                self._other_poller_s = asyncio.get_running_loop().time()
            self.listener.on_state(update)

    def _on_lost(self) -> None:
        if self._confirms is not None:
            self._confirms.fail_all(self._session.last_error)
        self.listener.on_lost()
