"""The recorder: listens to MQTT, or looks at the queue without taking anything from it."""

import asyncio
import time
from typing import BinaryIO, Final

import structlog

from contract.topics import Topics
from runtime.mqtt import Message, MqttSession, SessionConfig, Subscription
from simulator.recording.tape import pillow_of, write_head, write_line
from simulator.settings import SimulatorSettings
from simulator.targets.azure_queue import queue_view
from simulator.targets.target import Unavailable

log = structlog.get_logger()

LOOK_S: Final = 0.1
"""How often the queue is looked at."""

_REMEMBERED: Final = 10_000


class Recorder:
    """Writes what it hears to a file; `lines` counts, and at `count` of them `full` is set."""

    def __init__(self, file: BinaryIO, source: str, count: int | None) -> None:
        self.lines = 0
        self.full = asyncio.Event()
        self._file = file
        self._count = count
        self._began = time.monotonic()
        file.write(write_head(source, time.time_ns() // 1000))

    def note(
        self,
        pillow: str,
        body: bytes,
        *,
        availability: str | None = None,
        retained: bool = False,
    ) -> None:
        """Write a line."""
        if self.full.is_set():
            return
        t = time.monotonic() - self._began
        self._file.write(write_line(t, pillow, body, availability=availability, retained=retained))
        self.lines += 1
        if self._count is not None and self.lines >= self._count:
            self.full.set()


async def record_mqtt(
    settings: SimulatorSettings, recorder: Recorder, stopping: asyncio.Event
) -> None:
    """Record all states and availabilities until asked to stop; an outage is waited out."""
    topics = Topics(settings.topic_prefix)

    def on_message(message: Message) -> None:
        about = topics.parse(message.topic)
        if about is None or not message.payload:
            return
        if about.kind == "state":
            recorder.note(about.pillow, message.payload, retained=message.retained)
        else:
            word = message.payload.decode("ascii", "replace")
            recorder.note(about.pillow, b"", availability=word, retained=message.retained)

    session = MqttSession(
        SessionConfig(
            settings.broker,
            settings.mqtt_protocol,
            service="simulator",
            instance=f"{settings.instance[:56]}-record",
            status_topic=topics.status("simulator", f"{settings.instance[:56]}-record"),
        ),
        Subscription((topics.all_states, topics.all_availability)),
        on_message=on_message,
    )
    await session.run(stopping)


async def record_queue(
    settings: SimulatorSettings, recorder: Recorder, stopping: asyncio.Event
) -> None:
    """Record what waits on the queue until asked to stop, taking and hiding nothing.

    Only the first 32 messages can be seen, and only while they wait: what a poller takes between
    two looks is missed, and when 32 wait those behind are not seen. Both are said.
    """
    # Ids in order of being seen, so that the oldest can be forgotten.
    seen: dict[str, None] = {}
    is_full_said = False
    is_lost_said = False
    async with queue_view(settings) as queue:
        while not stopping.is_set():
            try:
                found = await queue.peek(settings.queue)
                is_lost_said = False
            except Unavailable as outage:
                if not is_lost_said:
                    log.warning("the queue cannot be seen; trying again", why=str(outage))
                is_lost_said, found = True, []
            if len(found) == 32 and not is_full_said:
                is_full_said = True
                log.warning("32 or more messages wait; those behind the first 32 are not seen")
            for one in found:
                if one.id not in seen:
                    seen[one.id] = None
                    body = one.text.encode(errors="surrogateescape")
                    recorder.note(pillow_of(body), body)
            while len(seen) > _REMEMBERED:
                del seen[next(iter(seen))]
            try:
                await asyncio.wait_for(stopping.wait(), LOOK_S)
            except TimeoutError:
                continue
