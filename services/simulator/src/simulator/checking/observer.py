"""The observer: listens to the broker, and looks at the poison queue, while a scenario runs."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import msgspec
import structlog

from contract.topics import Topics
from contract.updates import decode_state
from runtime.mqtt import (
    BrokerLost,
    Message,
    MqttSession,
    PublishRefused,
    SessionConfig,
    Subscription,
)
from runtime.settings import SettingsError
from simulator.checking.seen import Seen
from simulator.settings import SimulatorSettings
from simulator.stream.faults import Item

log = structlog.get_logger()

READY_S: Final = 15.0
"""How long the broker may take to be there."""

_AT_ONCE: Final = 500


class Observer:
    """Tells `seen` of all that arrives, in seconds of a scenario that runs at `speed`."""

    def __init__(self, settings: SimulatorSettings, seen: Seen, speed: float) -> None:
        self._seen, self._speed = seen, speed
        self._topics = Topics(settings.topic_prefix)
        self._began = time.monotonic()
        self.last_heard = self._began
        prefix = settings.topic_prefix
        self._letters = f"{prefix}/bridge/poller/"
        self._session = MqttSession(
            SessionConfig(
                settings.broker,
                settings.mqtt_protocol,
                service="simulator",
                instance=f"{settings.instance[:56]}-check",
                status_topic=self._topics.status("simulator", f"{settings.instance[:56]}-check"),
            ),
            Subscription(
                (
                    self._topics.all_states,
                    self._topics.all_availability,
                    f"{prefix}/bridge/poller/+/dead-letter",
                ),
                # The retained states of a hundred thousand pillows would delay the beginning.
                skip_retained=True,
            ),
            on_message=self._on_message,
        )

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen; raises SettingsError when there is no broker."""
        leaving = asyncio.Event()
        connection = asyncio.create_task(self._session.run(leaving))
        try:
            try:
                async with asyncio.timeout(READY_S):
                    await self._session.wait_ready()
            except TimeoutError:
                raise SettingsError(
                    f"nobody to listen to: {self._session.last_error}; check MQTT_URL"
                ) from None
            yield
        finally:
            leaving.set()
            await asyncio.wait({connection}, timeout=1)
            connection.cancel()

    def begin(self) -> None:
        """Count the scenario's time from now."""
        self._began = self.last_heard = time.monotonic()

    def sent(self, batch: Sequence[Item]) -> None:
        """Hear of what was sent."""
        now_us = time.time_ns() // 1000
        for item in batch:
            self._seen.note_sent(item, now_us)

    async def remove(self, stopping: asyncio.Event) -> None:
        """Take the check's pillows off the broker, so that no page shows them any longer."""
        topics = []
        for pillow, known in self._seen.known.items():
            if known.times:
                topics.append(self._topics.state(pillow))
            if known.availability:
                topics.append(self._topics.availability(pillow))
        if len(topics) > _AT_ONCE:
            log.info("taking the check's pillows off the broker", topics=len(topics))
        for start in range(0, len(topics), _AT_ONCE):
            if stopping.is_set():
                log.warning("not all of the check's pillows were taken off the broker")
                return
            try:
                await asyncio.gather(
                    *(
                        self._session.publish(topic, b"", retain=True)
                        for topic in topics[start : start + _AT_ONCE]
                    )
                )
            except (BrokerLost, PublishRefused) as error:
                log.warning("the check's pillows could not be taken off the broker", why=str(error))
                return

    def _on_message(self, message: Message) -> None:
        if message.retained or not message.payload:
            return  # it is from before
        self.last_heard = time.monotonic()
        at_s = (self.last_heard - self._began) * self._speed
        if message.topic.startswith(self._letters):
            letter = msgspec.json.decode(message.payload)
            self._seen.reasons_seen[str(letter.get("reason"))] += 1
            return
        about = self._topics.parse(message.topic)
        if about is None:
            return
        if about.kind == "availability":
            self._seen.note_availability(
                at_s, about.pillow, message.payload.decode("ascii", "replace")
            )
            return
        update = decode_state(about.pillow, message.payload)
        if isinstance(update, str):
            self._seen.unreadable += 1
        else:
            self._seen.note_state(at_s, update)
