"""The observer: records what arrives at the broker while a scenario runs."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

import msgspec
import structlog

from contract.topics import Topics
from contract.updates import decode_state
from runtime.mqtt import BrokerLost, CommandSession, Message, PublishRefused, Subscription
from simulator.checking.observations import Observations
from simulator.removal import RemovalFailed, remove_topics
from simulator.settings import SimulatorSettings
from simulator.stream.items import StreamItem

log = structlog.get_logger()

WAKE_S: Final = 0.5
"""The least time between two wake hints to pollers, which poll often for a second after one."""


class Observer:
    """Records received messages in `seen`, at the time of a scenario that runs at `speed`.

    Where messages go to the queue (`by_queue`) it sends pollers a wake hint. Without
    clients of a gateway they poll seldom, because they do not know that the check looks.
    """

    def __init__(
        self, settings: SimulatorSettings, seen: Observations, speed: float, *, by_queue: bool
    ) -> None:
        self._seen, self._speed = seen, speed
        self._by_queue = by_queue
        self._woken = -WAKE_S
        self._topics = Topics(settings.topic_prefix)
        self._started = self.last_received = float("inf")
        self._dead_letter_prefix = f"{settings.topic_prefix}/bridge/poller/"
        subscription = Subscription(
            (
                self._topics.all_states,
                self._topics.all_availability,
                f"{self._dead_letter_prefix}+/dead-letter",
            ),
            # The retained states of a hundred thousand pillows would delay the start.
            skip_retained=True,
        )
        self._broker = CommandSession(
            settings, "simulator", "check", subscription, self._on_message
        )

    def connected(self) -> AbstractAsyncContextManager[None]:
        """Connect and subscribe; raises SettingsError when the broker cannot be reached."""
        return self._broker.connected()

    def start_clock(self) -> None:
        """Start the scenario's time."""
        self._started = self.last_received = time.monotonic()

    def wake_pollers(self) -> None:
        """Send the wake hint; one that is refused or lost makes the check slower, and no more."""
        with contextlib.suppress(BrokerLost, PublishRefused):
            published = self._broker.session.publish(self._topics.wake, b"")
            published.add_done_callback(lambda done: done.cancelled() or done.exception())

    def batch_sent(self, batch: Sequence[StreamItem]) -> None:
        """Record an accepted batch."""
        now_us = time.time_ns() // 1000
        for item in batch:
            self._seen.record_sent(item, now_us)
        if self._by_queue and time.monotonic() - self._woken >= WAKE_S:
            self._woken = time.monotonic()
            self.wake_pollers()

    async def remove_pillows(self, stopping: asyncio.Event) -> None:
        """Remove the retained messages of the check's pillows from the broker."""
        topics = []
        for pillow, observed in self._seen.pillows.items():
            if observed.state_times:
                topics.append(self._topics.state(pillow))
            if observed.availability_times:
                topics.append(self._topics.availability(pillow))
        try:
            await remove_topics(self._broker.session, topics, stopping)
        except RemovalFailed as error:
            log.warning("some of the check's pillows remain on the broker", error=str(error))

    def _on_message(self, message: Message) -> None:
        if message.retained or not message.payload or self._started == float("inf"):
            return  # It was published before the check, or it removes a retained message.
        self.last_received = time.monotonic()
        at_s = (self.last_received - self._started) * self._speed
        if message.topic.startswith(self._dead_letter_prefix):
            dead_letter = msgspec.json.decode(message.payload)
            self._seen.dead_letters_received[str(dead_letter.get("reason"))] += 1
            return
        topic = self._topics.parse(message.topic)
        if topic is None:
            return
        if topic.kind == "availability":
            availability = message.payload.decode("ascii", "replace")
            self._seen.record_availability(at_s, topic.pillow, availability)
            return
        update = decode_state(topic.pillow, message.payload)
        if isinstance(update, str):
            self._seen.undecodable += 1
        else:
            self._seen.record_state(at_s, update)
