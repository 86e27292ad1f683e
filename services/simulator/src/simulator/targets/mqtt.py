"""The MQTT broker as a target: each pillow speaks as if it were connected itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from contract.messages import Reading, decode_message
from contract.topics import OFFLINE, ONLINE, Topics
from contract.updates import CONTENT_TYPE, EXPIRY_S, encode_state
from runtime.mqtt import BrokerLost, MqttSession, PublishRefused
from simulator.fleet import pillow_id
from simulator.settings import SimulatorSettings
from simulator.targets.target import Outgoing, Unavailable

FAREWELL_S: Final = 0.3
"""How long the broker may take for the last words, and again for the end of the connection."""


@asynccontextmanager
async def mqtt_target(settings: SimulatorSettings) -> AsyncIterator["MqttTarget"]:
    """Keep a session with the broker; at the end the pillows say `offline`."""
    target = MqttTarget(settings)
    target.start()
    try:
        yield target
    finally:
        await target.stop()


class MqttTarget:
    """Publishes states as the poller would, and each pillow's availability."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self._topics = Topics(settings.topic_prefix)
        self._pillows = [pillow_id(number) for number in range(1, settings.pillows + 1)]
        self._session = MqttSession(
            settings.broker,
            protocol=settings.mqtt_protocol,
            service="simulator",
            instance=settings.instance,
            status_topic=self._topics.status("simulator", settings.instance),
            on_ready=self._greet,
        )
        self._leaving = asyncio.Event()
        self._connection: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect."""
        self._connection = asyncio.create_task(self._session.run(self._leaving))

    async def stop(self) -> None:
        """Say that the pillows are gone and leave the broker in order, both in short time."""
        if said := self._say(OFFLINE):
            await asyncio.wait(said, timeout=FAREWELL_S)
        self._leaving.set()
        if self._connection is not None:
            await asyncio.wait({self._connection}, timeout=FAREWELL_S)
            self._connection.cancel()

    async def ready(self) -> None:
        """Wait for the broker; whatever ended the session for good is raised."""
        assert self._connection is not None, "start() comes first"  # noqa: S101
        has_broker = asyncio.ensure_future(self._session.wait_ready())
        try:
            await asyncio.wait({has_broker, self._connection}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            has_broker.cancel()
        if self._connection.done():
            self._connection.result()

    async def send(self, batch: Sequence[Outgoing]) -> None:
        """Publish each state, retained, and wait until the broker has confirmed them."""
        now_ms = time.time_ns() // 1_000_000
        confirmed = []
        for one in batch:
            try:
                sent = self._session.publish(
                    self._topics.state(one.pillow),
                    _payload(one, now_ms),
                    retain=True,
                    content_type=CONTENT_TYPE,
                    expiry_s=EXPIRY_S,
                )
            except BrokerLost:
                break  # nor can the rest be sent; the session says why
            confirmed.append(sent)
        results = await asyncio.gather(*confirmed, return_exceptions=True)
        if (taken := results.count(None)) < len(batch):
            refused = next((one for one in results if isinstance(one, PublishRefused)), None)
            raise Unavailable(
                taken, f"{refused}; check its ACL and the user in MQTT_URL" if refused else ""
            )

    def _greet(self) -> None:
        self._say(ONLINE)

    def _say(self, availability: bytes) -> list["asyncio.Future[None]"]:
        said = []
        try:
            for pillow in self._pillows:
                confirmed = self._session.publish(
                    self._topics.availability(pillow), availability, retain=True
                )
                # A refusal is said when it meets a state.
                confirmed.add_done_callback(lambda done: done.cancelled() or done.exception())
                said.append(confirmed)
        except BrokerLost:
            pass  # it is said again when the broker is back
        return said


def _payload(one: Outgoing, now_ms: int) -> bytes:
    reading = decode_message(one.body, default_pillow=one.pillow, queued_us=now_ms * 1000)
    assert isinstance(reading, Reading), reading  # noqa: S101 - we wrote it ourselves
    return encode_state(reading, queued_ms=now_ms, polled_ms=now_ms, published_ms=now_ms)
