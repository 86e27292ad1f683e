"""Writes the discovery messages for Home Assistant; `Discovery` decides which."""

from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec
from prometheus_client import Counter

from contract.home_assistant import BIRTH, DiscoveryTopics
from contract.updates import Update
from poller.presence.discovery import Config, Discovery
from poller.presence.retained_writer import RetainedWriter
from poller.publish.state_publisher import StatePublisher, StateSource
from runtime.mqtt import Message

_BATTERY: Final = b'"battery"'


class DiscoveryPublisher:
    """Writes the message of each pillow; a PillowObserver.

    The messages do not expire: a pillow leaves when it is removed, or, where its state has expired
    on the broker, with the next connection. `has_state` returns whether this poller has a state of
    a pillow.
    """

    def __init__(
        self,
        broker: StatePublisher,
        discovery: Discovery,
        topics: DiscoveryTopics,
        has_state: Callable[[str], bool],
        written: Counter,
    ) -> None:
        self._broker = broker
        self._discovery = discovery
        self._topics = topics
        self._has_state = has_state
        self._writer = RetainedWriter(
            partial(broker.publish_retained, expiry_s=None),
            "discovery by Home Assistant",
            f"let the poller's user read and write {topics.all_configs}",
            written,
        )

    # PillowObserver

    def on_connecting(self) -> None:
        """Forget what the broker has, because it sends all of it again."""
        self._discovery.begin_connection()
        self._writer.begin_connection()

    def on_state(self, update: Update, source: StateSource) -> None:
        """Let a pillow appear with its first state, and with a battery when it has one."""
        has_battery = self._discovery.needs_battery(update.pillow) and _has_battery(update.payload)
        self._write(
            self._discovery.receive_state(
                update.pillow, by_queue=update.queued_ms is not None, has_battery=has_battery
            )
        )

    def on_removed(self, pillow: str) -> None:
        """Let a pillow leave Home Assistant."""
        self._write(self._discovery.remove(pillow))

    def on_message(self, message: Message) -> None:
        """Note a discovery message, a word of availability, or that Home Assistant has started."""
        if message.topic == self._topics.status:
            if message.payload == BIRTH and not message.retained:
                for config in self._discovery.all():
                    self._write(config)
            return
        pillow = self._topics.parse_config(message.topic)
        if pillow is not None:
            self._discovery.receive_config(pillow, message.payload)
            return
        topic = self._topics.topics.parse(message.topic)
        if topic is not None and topic.kind == "availability" and message.payload:
            self._write(self._discovery.receive_word(topic.pillow))

    def on_ready(self) -> None:
        """Write what the broker lacks; let pillows leave that were removed."""
        has_state = self._has_state if self._broker.delivers_retained else None
        for config in self._discovery.end_retained(has_state):
            self._write(config)

    def _write(self, config: Config | None) -> None:
        if config is not None:
            self._writer.write(self._topics.config(config.pillow), config.payload)


def _has_battery(payload: bytes) -> bool:
    """Return whether a state has a battery of its own; the text may be in another field."""
    return _BATTERY in payload and "battery" in msgspec.json.decode(payload)
