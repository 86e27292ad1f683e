"""The MQTT broker as a target: each pillow is a client of its own, like a real one.

A pillow's session is a session of `runtime.mqtt` whose status topic is the pillow's availability:
`online` while it is connected, `offline` as its last will and on a regular disconnect.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog

from contract.messages import ParsedMessage, decode_message
from contract.topics import Topics
from contract.updates import CONTENT_TYPE, EXPIRY_S, encode_state
from runtime.clocks import unix_ms
from runtime.mqtt import BrokerLost, MqttSession, PublishRefused, SessionConfig
from simulator.settings import SimulatorSettings
from simulator.stream.items import StreamItem
from simulator.targets.target import Unavailable

DISCONNECT_TIMEOUT_S: Final = 0.3
"""How long all connections together may take to disconnect."""


@asynccontextmanager
async def mqtt_target(
    settings: SimulatorSettings, pillows: Sequence[str] = ()
) -> AsyncIterator["MqttTarget"]:
    """Connect the simulator's session and one for each of `pillows`; disconnect all at the end."""
    target = MqttTarget(settings, pillows)
    target.start()
    try:
        yield target
    finally:
        await target.stop()


class MqttTarget:
    """Publishes states as the poller does. Pillows without a connection share the simulator's."""

    def __init__(self, settings: SimulatorSettings, pillows: Sequence[str] = ()) -> None:
        self._topics = Topics(settings.topic_prefix)
        self.replaced = 0
        self._session = MqttSession(SessionConfig.for_service(settings, "simulator"))
        self._devices = {pillow: _Device(settings, pillow) for pillow in pillows}
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect."""
        self._running = asyncio.create_task(self._session.run(self._stopping))

    async def stop(self) -> None:
        """Disconnect the pillows, then the simulator, each within DISCONNECT_TIMEOUT_S."""
        disconnecting = [device.disconnect() for device in self._devices.values()]
        if tasks := [task for task in disconnecting if task is not None]:
            _, unfinished = await asyncio.wait(tasks, timeout=DISCONNECT_TIMEOUT_S)
            for task in unfinished:
                task.cancel()
        self._stopping.set()
        if self._running is not None:
            await asyncio.wait({self._running}, timeout=DISCONNECT_TIMEOUT_S)
            self._running.cancel()

    async def wait_ready(self) -> None:
        """Wait for the broker, then connect the pillows; raises what ended the session for good."""
        assert self._running is not None, "start() comes first"
        ready = asyncio.ensure_future(self._session.wait_ready())
        try:
            await asyncio.wait({ready, self._running}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if self._running.done():
            self._running.result()
        for device in self._devices.values():
            device.connect()

    def set_network(self, pillow: str, *, up: bool) -> None:
        """Connect a pillow, or cut its connection so that the broker publishes its last will."""
        if device := self._devices.get(pillow):
            device.connect() if up else device.cut()

    async def send(self, batch: Sequence[StreamItem]) -> None:
        """Publish each state, retained, and wait until the broker has acknowledged them."""
        now_ms = unix_ms()
        acknowledged = []
        kept = 0
        for item in batch:
            device = self._devices.get(item.pillow)
            if device is not None and not device.is_ready:
                self.replaced += device.keep(item)
                kept += 1
                continue
            session = device.session if device is not None else self._session
            try:
                published = publish_state(session, self._topics, item.pillow, item.body, now_ms)
            except BrokerLost:
                break  # The rest cannot be sent either; the session logs the reason.
            acknowledged.append(published)
        results = await asyncio.gather(*acknowledged, return_exceptions=True)
        if (accepted := results.count(None) + kept) < len(batch):
            refused = next((one for one in results if isinstance(one, PublishRefused)), None)
            raise Unavailable(accepted, str(refused or ""))


def publish_state(
    session: MqttSession, topics: Topics, pillow: str, body: bytes, now_ms: int
) -> "asyncio.Future[None]":
    """Publish a message as the poller does, or unchanged where the poller would refuse it."""
    decoded = decode_message(body, default_pillow=pillow, queued_us=now_ms * 1000)
    if isinstance(decoded, ParsedMessage):
        body = encode_state(decoded, queued_ms=now_ms, polled_ms=now_ms, published_ms=now_ms)
    return session.publish(
        topics.state(pillow), body, retain=True, content_type=CONTENT_TYPE, expiry_s=EXPIRY_S
    )


class _Device:
    """One pillow's connection. While it is disconnected it keeps only its newest state."""

    def __init__(self, settings: SimulatorSettings, pillow: str) -> None:
        self._settings = settings
        self._pillow = pillow
        self._topics = Topics(settings.topic_prefix)
        self._kept: StreamItem | None = None
        self._stopping = asyncio.Event()
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
                mark_topic=self._topics.mark("pillow", self._pillow),
            ),
            on_ready=self._publish_kept,
        )

    @property
    def is_ready(self) -> bool:
        """Whether it can publish now."""
        return self.session.is_ready

    def keep(self, item: StreamItem) -> bool:
        """Keep a state until the connection is ready; return whether it replaces another."""
        replaces, self._kept = self._kept is not None, item
        return replaces

    def connect(self) -> None:
        """Connect, unless it is connected or connecting."""
        if self._running is not None:
            return
        self._stopping = asyncio.Event()
        self.session = self._new_session()
        # The log lines of this session carry the pillow; see `terminal.DuplicateWarningFilter`.
        with structlog.contextvars.bound_contextvars(pillow=self._pillow):
            self._running = asyncio.create_task(self.session.run(self._stopping))

    def cut(self) -> None:
        """Cut the connection without a disconnect, and do not reconnect."""
        if self._running is None:
            return
        self._stopping.set()
        self.session.abort()
        self._running = None

    def disconnect(self) -> asyncio.Task[None] | None:
        """Begin to publish `offline` and disconnect; return the task that ends after that."""
        self._stopping.set()
        return self._running

    def _publish_kept(self) -> None:
        item, self._kept = self._kept, None
        if item is not None:
            published = publish_state(
                self.session,
                self._topics,
                self._pillow,
                item.body,
                unix_ms(),
            )
            # A refusal is reported for the next state, whose acknowledgement is awaited.
            published.add_done_callback(lambda done: done.cancelled() or done.exception())
