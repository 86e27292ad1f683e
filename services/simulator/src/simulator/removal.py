"""Removes pillows from the broker: an empty retained message on each topic that a pillow has."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

from contract.topics import Topics
from runtime.mqtt import (
    BrokerLost,
    CommandSession,
    Message,
    MqttSession,
    PublishRefused,
    Subscription,
)
from simulator.settings import SimulatorSettings

_BATCH: Final = 500
"""Number of retained messages that are removed before their acknowledgements are awaited."""


class RemovalFailed(Exception):
    """The broker did not take a removal; some pillows may have been removed."""


async def remove_topics(
    session: MqttSession, topics: Sequence[str], stopping: asyncio.Event | None = None
) -> None:
    """Remove the retained messages of these topics; raises RemovalFailed."""
    for start in range(0, len(topics), _BATCH):
        if stopping is not None and stopping.is_set():
            raise RemovalFailed("it was stopped")
        try:
            await asyncio.gather(
                *(
                    session.publish(topic, b"", retain=True)
                    for topic in topics[start : start + _BATCH]
                )
            )
        except (BrokerLost, PublishRefused) as error:
            raise RemovalFailed(
                f"the broker did not take it: {error}; check the user in MQTT_URL: "
                "only simulator and operator may remove pillows"
            ) from None


class RetainedPillows:
    """The pillows of which the broker has a state or an availability."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self._topics = Topics(settings.topic_prefix)
        self._found: dict[str, set[str]] = {}
        """The topics of each pillow."""
        subscription = Subscription((self._topics.all_states, self._topics.all_availability))
        self._broker = CommandSession(settings, "simulator", "clear", subscription, self._receive)

    def connected(self) -> AbstractAsyncContextManager[None]:
        """Connect and receive what is retained; raises SettingsError without a broker."""
        return self._broker.connected()

    def matching(self, patterns: Iterable[str]) -> dict[str, list[str]]:
        """Return the pillows that each id or prefix names."""
        return {
            pattern: [pillow for pillow in sorted(self._found) if _matches(pillow, pattern)]
            for pattern in patterns
        }

    async def remove(self, pillows: Iterable[str]) -> None:
        """Remove these pillows; raises RemovalFailed."""
        topics = {topic for pillow in pillows for topic in self._found[pillow]}
        await remove_topics(self._broker.session, sorted(topics))

    def _receive(self, message: Message) -> None:
        topic = self._topics.parse(message.topic)
        if topic is None:
            return
        if message.payload:
            self._found.setdefault(topic.pillow, set()).add(message.topic)
        else:
            self._found.get(topic.pillow, set()).discard(message.topic)


def _matches(pillow: str, pattern: str) -> bool:
    return pillow == pattern or (pattern.endswith("*") and pillow.startswith(pattern[:-1]))
