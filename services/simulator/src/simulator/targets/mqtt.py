"""The MQTT broker as a target: each pillow is a client of its own, as a real one is.

A pillow's session is that of `runtime.mqtt`, with its availability in the place of a service's
status: `online` when it is there, `offline` as its last will and when it leaves in order.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog

from contract.messages import ParsedMessage, decode_message
from contract.topics import Topics
from contract.updates import CONTENT_TYPE, EXPIRY_S, encode_state
from runtime.mqtt import BrokerLost, MqttSession, PublishRefused, SessionConfig
from simulator.settings import SimulatorSettings
from simulator.stream.faults import Item
from simulator.targets.target import Unavailable

FAREWELL_S: Final = 0.3
"""How long the broker may take for the end of all connections."""


@asynccontextmanager
async def mqtt_target(
    settings: SimulatorSettings, pillows: Sequence[str] = ()
) -> AsyncIterator["MqttTarget"]:
    """Keep a session with the broker, and one for each of `pillows`; at the end all leave."""
    target = MqttTarget(settings, pillows)
    target.start()
    try:
        yield target
    finally:
        await target.stop()


class MqttTarget:
    """Publishes states as the poller would. Pillows without a session share the simulator's own."""

    def __init__(self, settings: SimulatorSettings, pillows: Sequence[str] = ()) -> None:
        self.topics = Topics(settings.topic_prefix)
        self.unsaid = 0
        self._session = MqttSession(
            SessionConfig(
                settings.broker,
                settings.mqtt_protocol,
                service="simulator",
                instance=settings.instance,
                status_topic=self.topics.status("simulator", settings.instance),
            )
        )
        self._devices = {pillow: _Device(settings, pillow) for pillow in pillows}
        self._leaving = asyncio.Event()
        self._connection: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect."""
        self._connection = asyncio.create_task(self._session.run(self._leaving))

    async def stop(self) -> None:
        """Leave the broker in order, in short time: first the pillows, then we."""
        ends = [device.leave() for device in self._devices.values()]
        if waiting := [end for end in ends if end is not None]:
            _, late = await asyncio.wait(waiting, timeout=FAREWELL_S)
            for end in late:
                end.cancel()
        self._leaving.set()
        if self._connection is not None:
            await asyncio.wait({self._connection}, timeout=FAREWELL_S)
            self._connection.cancel()

    async def ready(self) -> None:
        """Wait for the broker; whatever ended the session for good is raised."""
        assert self._connection is not None, "start() comes first"
        has_broker = asyncio.ensure_future(self._session.wait_ready())
        try:
            await asyncio.wait({has_broker, self._connection}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            has_broker.cancel()
        if self._connection.done():
            self._connection.result()
        for device in self._devices.values():
            device.come()

    def network(self, pillow: str, *, up: bool) -> None:
        """Cut a pillow's connection, so that the broker says its last will, or make it anew."""
        if device := self._devices.get(pillow):
            device.come() if up else device.cut()

    async def send(self, batch: Sequence[Item]) -> None:
        """Publish each state, retained, and wait until the broker has confirmed them."""
        now_ms = time.time_ns() // 1_000_000
        confirmed = []
        kept = 0
        for one in batch:
            device = self._devices.get(one.pillow)
            if device is not None and not device.is_ready:
                self.unsaid += device.keep(one)
                kept += 1
                continue
            session = device.session if device is not None else self._session
            try:
                sent = publish_state(session, self.topics, one.pillow, one.body, now_ms)
            except BrokerLost:
                break  # nor can the rest be sent; the session says why
            confirmed.append(sent)
        results = await asyncio.gather(*confirmed, return_exceptions=True)
        if (taken := results.count(None) + kept) < len(batch):
            refused = next((one for one in results if isinstance(one, PublishRefused)), None)
            raise Unavailable(
                taken, f"{refused}; check its ACL and the user in MQTT_URL" if refused else ""
            )

    async def say(self, topic: str, payload: bytes) -> None:
        """Publish something else, retained; raises BrokerLost or PublishRefused."""
        await self._session.publish(topic, payload, retain=True)


def publish_state(
    session: MqttSession, topics: Topics, pillow: str, body: bytes, now_ms: int
) -> "asyncio.Future[None]":
    """Publish what a message says as the poller would; as it is, where the poller would not."""
    reading = decode_message(body, default_pillow=pillow, queued_us=now_ms * 1000)
    if isinstance(reading, ParsedMessage):
        body = encode_state(reading, queued_ms=now_ms, polled_ms=now_ms, published_ms=now_ms)
    return session.publish(
        topics.state(pillow), body, retain=True, content_type=CONTENT_TYPE, expiry_s=EXPIRY_S
    )


class _Device:
    """One pillow's connection. While there is none it keeps its newest state, and no older one."""

    def __init__(self, settings: SimulatorSettings, pillow: str) -> None:
        self._settings = settings
        self._pillow = pillow
        self._topics = Topics(settings.topic_prefix)
        self._kept: Item | None = None
        self._leaving = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self.session = self._new_session()

    def _new_session(self) -> MqttSession:
        return MqttSession(
            SessionConfig(
                self._settings.broker,
                self._settings.mqtt_protocol,
                service="pillow",
                instance=self._pillow,
                status_topic=self._topics.availability(self._pillow),
            ),
            on_ready=self._say_kept,
        )

    @property
    def is_ready(self) -> bool:
        """Whether it can publish now."""
        return self.session.is_ready

    def keep(self, item: Item) -> bool:
        """Keep what is to be said when the connection is there; return whether it replaces some."""
        replaces, self._kept = self._kept is not None, item
        return replaces

    def come(self) -> None:
        """Connect, unless it is connected or about to be."""
        if self._running is not None:
            return
        self._leaving = asyncio.Event()
        self.session = self._new_session()
        # The lines of a session of this kind have the pillow on them; see `running.OncePerOutage`.
        with structlog.contextvars.bound_contextvars(pillow=self._pillow):
            self._running = asyncio.create_task(self.session.run(self._leaving))

    def cut(self) -> None:
        """Lose the connection, and do not look for another."""
        if self._running is None:
            return
        self._leaving.set()
        self.session.abort()
        self._running = None

    def leave(self) -> asyncio.Task[None] | None:
        """Begin to say `offline` and to leave in order; return what ends when that is done."""
        self._leaving.set()
        return self._running

    def _say_kept(self) -> None:
        item, self._kept = self._kept, None
        if item is not None:
            said = publish_state(
                self.session,
                self._topics,
                self._pillow,
                item.body,
                time.time_ns() // 1_000_000,
            )
            # A refusal is said when it meets a state that is waited for.
            said.add_done_callback(lambda done: done.cancelled() or done.exception())
