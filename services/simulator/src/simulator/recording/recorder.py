"""The recorder: subscribes on MQTT, or peeks at the queue without receiving from it."""

import asyncio
import time
from typing import BinaryIO, Final

import structlog

from contract.availability import KEPT_BY
from contract.topics import Topics
from runtime.mqtt import Message, MqttSession, SessionConfig, Subscription, user_property
from simulator.recording.recording_file import encode_header, encode_line, pillow_of
from simulator.settings import SimulatorSettings
from simulator.targets.azure_queue import queue_view
from simulator.targets.target import Unavailable

log = structlog.get_logger()

PEEK_INTERVAL_S: Final = 0.1

_MAX_PEEKED: Final = 32
"""The queue service returns at most so many messages for one peek."""

_MAX_REMEMBERED: Final = 10_000
"""Number of recorded message ids that are remembered, so that none is recorded twice."""


class Recorder:
    """Writes messages to a file; sets `is_full` after `count` lines, None: never."""

    def __init__(self, file: BinaryIO, source: str, count: int | None) -> None:
        self.lines = 0
        self.is_full = asyncio.Event()
        self._file = file
        self._count = count
        self._began = time.monotonic()
        file.write(encode_header(source, time.time_ns() // 1000))

    def record(
        self,
        pillow: str,
        body: bytes,
        *,
        availability: str | None = None,
        retained: bool = False,
    ) -> None:
        """Write a message, or an availability; do nothing when the recording is full."""
        if self.is_full.is_set():
            return
        t = time.monotonic() - self._began
        self._file.write(encode_line(t, pillow, body, availability=availability, retained=retained))
        self.lines += 1
        if self._count is not None and self.lines >= self._count:
            self.is_full.set()


async def record_mqtt(
    settings: SimulatorSettings, recorder: Recorder, stopping: asyncio.Event
) -> None:
    """Record all states and availabilities until `stopping` is set; reconnects after an outage."""
    topics = Topics(settings.topic_prefix)

    def on_message(message: Message) -> None:
        topic = topics.parse(message.topic)
        if topic is None or not message.payload:
            return
        if topic.kind == "state":
            recorder.record(topic.pillow, message.payload, retained=message.retained)
        elif user_property(message.properties, KEPT_BY) is None:  # else it is no pillow's word
            availability = message.payload.decode("ascii", "replace")
            recorder.record(topic.pillow, b"", availability=availability, retained=message.retained)

    session = MqttSession(
        SessionConfig.for_service(settings, "simulator", "record"),
        Subscription((topics.all_states, topics.all_availability)),
        on_message=on_message,
    )
    await session.run(stopping)


async def record_queue(
    settings: SimulatorSettings, recorder: Recorder, stopping: asyncio.Event
) -> None:
    """Record what waits on the queue until `stopping` is set, without receiving or hiding it.

    Only the first 32 waiting messages are visible. A message that a poller receives between two
    peeks is missed.
    """
    # A dict keeps the order of insertion, so that the oldest id is removed first.
    recorded: dict[str, None] = {}
    is_limit_logged = False
    is_outage_logged = False
    async with queue_view(settings) as queue:
        while not stopping.is_set():
            try:
                messages = await queue.peek(settings.queue)
                is_outage_logged = False
            except Unavailable as outage:
                if not is_outage_logged:
                    log.warning("peeking at the queue failed; retrying", error=str(outage))
                is_outage_logged, messages = True, []
            if len(messages) == _MAX_PEEKED and not is_limit_logged:
                is_limit_logged = True
                log.warning("more messages wait than can be recorded", visible=_MAX_PEEKED)
            for message in messages:
                if message.id not in recorded:
                    recorded[message.id] = None
                    body = message.text.encode(errors="surrogateescape")
                    recorder.record(pillow_of(body), body)
            while len(recorded) > _MAX_REMEMBERED:
                del recorded[next(iter(recorded))]
            try:
                await asyncio.wait_for(stopping.wait(), PEEK_INTERVAL_S)
            except TimeoutError:
                continue
