"""The broker over MQTT: the worker's view of a session."""

import asyncio

from contract.topics import Topics
from contract.updates import CONTENT_TYPE, EXPIRY_S, Update
from poller.publish.publish_confirms import PublishConfirms
from runtime.mqtt import MqttSession


class MqttStatePublisher:
    """Publishes states and announcements through a session that somebody else runs.

    With `echoes`, a state is confirmed when it has also come back.
    """

    def __init__(
        self, session: MqttSession, topics: Topics, instance: str, echoes: PublishConfirms | None
    ) -> None:
        self._session = session
        self._echoes = echoes
        self._topics = topics
        self._dead_letter_topic = topics.dead_letter(instance)

    @property
    def is_ready(self) -> bool:
        return self._session.is_ready

    async def wait_ready(self) -> None:
        await self._session.wait_ready()

    def publish_state(self, update: Update, traceparent: str | None) -> asyncio.Future[None]:
        acknowledged = self._session.publish(
            self._topics.state(update.pillow),
            update.payload,
            retain=True,
            content_type=CONTENT_TYPE,
            expiry_s=EXPIRY_S,
            user_properties=(("traceparent", traceparent),) if traceparent else (),
        )
        if self._echoes is None:
            return acknowledged
        return self._echoes.confirm(update.pillow, update.payload, acknowledged)

    def announce(self, letter: bytes) -> asyncio.Future[None]:
        return self._session.publish(self._dead_letter_topic, letter, content_type=CONTENT_TYPE)
