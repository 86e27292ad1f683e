"""A session with the broker: connect, subscribe, be ready, and reconnect after every loss."""

import asyncio
import contextlib
import random
import secrets
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import structlog

from contract.topics import OFFLINE, ONLINE
from runtime.backoff import Backoff
from runtime.mqtt.config import SessionConfig, Subscription
from runtime.mqtt.connection import Connection
from runtime.mqtt.connection_events import ConnectionEvents, LastWill
from runtime.mqtt.errors import BrokerLost, BrokerUnusable, PublishRefused
from runtime.mqtt.establishment import Establishment
from runtime.mqtt.guarded_handler import GuardedHandler
from runtime.mqtt.outage_log import OutageLog
from runtime.mqtt.own_status import STATUS_EXPIRY_S, OwnStatus
from runtime.mqtt.packets import Message
from runtime.mqtt.properties import publish_properties
from runtime.mqtt.publish_window import Publish
from runtime.mqtt.retained_set import NOT_DELIVERED, RetainedSet
from runtime.mqtt.round_trips import RoundTrips
from runtime.mqtt.stopping import Stopped, until_stopped
from runtime.mqtt.twin import TWIN, TwinWatch

log = structlog.get_logger()

_BACKOFF: Final = Backoff(first_s=0.5, max_s=5)


class MqttSession:
    """Keeps a connection to the broker for as long as `run` runs, and reconnects after a loss.

    `on_message` is called for each message, in order. It is called while the socket is read, so it
    must not block.
    The session is ready when the retained messages of all filters have been delivered: see
    `retained_set`.
    `on_ready` and `on_lost` are called when the session becomes ready, and when it no longer is.
    An exception of theirs ends `run`; one of `on_message` is logged.
    """

    def __init__(
        self,
        config: SessionConfig,
        subscription: Subscription = Subscription(),  # noqa: B008 - it is immutable
        *,
        on_message: Callable[[Message], None] = lambda _message: None,
        on_ready: Callable[[], None] = lambda: None,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._config = config
        self._v5 = config.protocol == "5"
        # Random, because a broker disconnects the older of two clients with one id.
        self._token = secrets.token_hex(4)
        self._client_id = f"{config.service}-{config.instance}-{self._token}"
        self._subscription = subscription
        self._handler = GuardedHandler(on_message, config.limits.max_packet_bytes)
        self._on_ready, self._on_lost = on_ready, on_lost

        self._connection: Connection | None = None
        self._connections = 0
        self._establishment: Establishment | None = None
        self._own_status: OwnStatus | None = None
        self._round_trips = RoundTrips(self._token)
        self._delivers_retained: bool | None = None
        self._twin = TwinWatch(config, self._token, partial(self.publish, config.mark_topic))
        self._ready = asyncio.Event()
        self._ready_since = 0.0
        self._ready_for_s: float | None = None
        self._outage = OutageLog(config.broker)
        self._last_error = "not connected yet"
        self.refusal: str | None = None  # why the broker cannot be used like this, by its answer
        self._owner_error: Exception | None = None
        """What `on_lost` raised in a callback of asyncio, which would only log it."""

    @property
    def is_ready(self) -> bool:
        """Whether the session is connected, subscribed and has all retained messages."""
        return self._ready.is_set()

    @property
    def delivers_retained(self) -> bool | None:
        """Whether the broker delivers retained messages to filters with a wildcard.

        None before the first connection was ready, and for a session that asks for none.
        """
        return self._delivers_retained

    @property
    def connections(self) -> int:
        """How many connections were begun; what came on one before may be gone from the broker."""
        return self._connections

    @property
    def oversized(self) -> int:
        """How many messages were discarded because they were above the limit."""
        return self._handler.oversized

    @property
    def failed(self) -> int:
        """How many messages ended in an error of `on_message`."""
        return self._handler.failed

    @property
    def status_repetitions(self) -> int:
        """How often this connection has published `online` again."""
        return self._own_status.repetitions if self._own_status is not None else 0

    @property
    def limitation(self) -> str | None:
        """What is wrong with a session that is ready, as a sentence; None if nothing."""
        known = [NOT_DELIVERED] if self._delivers_retained is False else []
        known += [TWIN] if self._twin.is_present else []
        return f"{self._config.broker}: {'; '.join(known)}" if known else None

    @property
    def has_twin(self) -> bool:
        """Whether another process uses the instance name now."""
        return self._twin.is_present

    @property
    def last_error(self) -> str:
        """Why the session is not ready, as a sentence that begins with the broker's URL."""
        return f"{self._config.broker}: {self._last_error}"

    async def wait_ready(self) -> None:
        """Wait until the session is ready."""
        await self._ready.wait()

    async def run(self, stopping: asyncio.Event) -> None:
        """Keep the session until `stopping` is set, then publish `offline` and disconnect."""
        attempt = 0
        while not stopping.is_set():
            try:
                await self._serve(stopping)
            except Stopped:
                break
            except (BrokerLost, BrokerUnusable) as error:
                self._mark_lost(str(error))
                self.refusal = self.last_error if isinstance(error, BrokerUnusable) else None
                if stopping.is_set():
                    break
                was_ready = self._ready_for_s is not None
                self._outage.report(self.last_error, error, was_ready=was_ready)
            finally:
                self._mark_lost("stopped" if stopping.is_set() else self._last_error)
            if (self._ready_for_s or 0) >= self._config.limits.stable_after_s:
                attempt = 0
            delay = _BACKOFF.delay(attempt, random.random())  # noqa: S311 - jitter
            attempt += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), delay)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        content_type: str | None = None,
        expiry_s: int | None = None,
        user_properties: Sequence[tuple[str, str]] = (),
    ) -> asyncio.Future[None]:
        """Publish with QoS 1; the future is done when the broker has acknowledged.

        Publishes leave in the order of the calls.
        The future, or this call, raises BrokerLost or PublishRefused.
        In MQTT 3.1.1 the content type, the expiry (seconds) and the user properties are left out.
        """
        if self._connection is None:
            raise BrokerLost(self.last_error)
        properties = b""
        if self._v5:
            properties = publish_properties(content_type, expiry_s, tuple(user_properties))
        return self._connection.publish(Publish(topic, payload, retain, properties))

    def round_trip(self) -> asyncio.Future[None]:
        """Publish a mark; the future is done when it is back, behind all that was published before.

        The future, or this call, raises BrokerLost.
        """
        mark, returned = self._round_trips.start()
        self.publish(self._config.mark_topic, mark)
        return returned

    def abort(self) -> None:
        """Close the connection without DISCONNECT, so that the broker publishes the last will."""
        if self._connection is not None:
            self._connection.abort()

    async def _serve(self, stopping: asyncio.Event) -> None:
        """Open one connection and keep it until it ends; raises the reason, or Stopped."""
        self._ready_for_s = None
        self._connections += 1
        will = LastWill(self._config.status_topic, OFFLINE, STATUS_EXPIRY_S)
        connection = Connection(
            self._config,
            self._client_id,
            ConnectionEvents(self._receive, self._connection_lost, self._handler.discard),
        )
        try:
            await until_stopped(stopping, connection.open(will))
            self._connection = connection
            await until_stopped(stopping, self._establish(connection))
            await until_stopped(stopping, connection.wait_lost())
        except Stopped:
            await self._leave(connection)
            raise
        finally:
            connection.abort()
            if self._owner_error is not None:
                raise self._owner_error

    async def _establish(self, connection: Connection) -> None:
        """Make the connection ready; raises BrokerLost or BrokerUnusable."""
        retained_set = RetainedSet(f"{self._token}.{self._connections}")
        establishment = Establishment(self._config, self._subscription, connection, retained_set)
        self._establishment = establishment
        try:
            await establishment.run()
        finally:
            self._establishment = None
        self._own_status = OwnStatus(self._config.status_topic, self._publish_online)
        if establishment.is_contradicted:
            self._own_status.contradicted()
        self._set_delivers_retained(establishment.delivers_retained)
        self._ready_since = asyncio.get_running_loop().time()
        self._ready.set()
        self._outage.report_ready()
        self._on_ready()

    def _set_delivers_retained(self, delivers: bool | None) -> None:
        if delivers is False and self._delivers_retained is not False:
            log.warning(NOT_DELIVERED, broker=str(self._config.broker))
        self._delivers_retained = delivers

    async def _leave(self, connection: Connection) -> None:
        """Publish `offline` and disconnect, if the broker answers in time."""
        if self._own_status is not None:
            self._own_status.cancel()
            self._own_status = None
        with contextlib.suppress(TimeoutError, BrokerLost, PublishRefused):
            async with asyncio.timeout(self._config.limits.disconnect_timeout_s):
                await self._publish_status(OFFLINE)
            await connection.disconnect()

    def _receive(self, message: Message) -> None:
        if self._establishment is not None:
            self._establishment.receive(message)
        if message.topic == self._config.status_topic:
            if self._own_status is not None and message.payload != ONLINE:
                self._own_status.contradicted()
            return
        if message.topic == self._config.mark_topic:
            self._round_trips.receive(message.payload)
            self._twin.receive(message)
            return
        self._handler.receive(message)

    def _publish_online(self) -> None:
        with contextlib.suppress(BrokerLost):
            self._publish_status(ONLINE)

    def _publish_status(self, status: bytes) -> asyncio.Future[None]:
        topic = self._config.status_topic
        return self.publish(topic, status, retain=True, expiry_s=STATUS_EXPIRY_S)

    def _connection_lost(self, error: BrokerLost) -> None:
        try:
            self._mark_lost(str(error))
        except Exception as owner_error:
            self._owner_error = owner_error

    def _mark_lost(self, error: str) -> None:
        """Record that there is no connection, and why; call `on_lost` if the session was ready."""
        self._last_error, self._connection = error, None
        self._outage.cancel()
        self._twin.cancel()
        self._round_trips.fail(BrokerLost(self.last_error))
        if self._own_status is not None:
            self._own_status.cancel()
            self._own_status = None
        if self._ready.is_set():
            self._ready_for_s = asyncio.get_running_loop().time() - self._ready_since
            self._ready.clear()
            self._on_lost()
