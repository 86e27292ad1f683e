"""A session with the broker: connect, subscribe, be ready, and reconnect after every loss."""

import asyncio
import contextlib
import random
import secrets
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import structlog

from contract.topics import OFFLINE, ONLINE
from runtime.backoff import Backoff
from runtime.mqtt.config import SessionConfig, Subscription
from runtime.mqtt.connection import Connection, ConnectionEvents, LastWill
from runtime.mqtt.errors import BrokerLost, BrokerUnusable, PublishRefused
from runtime.mqtt.packets import Message
from runtime.mqtt.properties import FAILURE, publish_properties, subscribe_topics
from runtime.mqtt.publish_window import Publish

log = structlog.get_logger()

_BACKOFF: Final = Backoff(first_s=0.5, max_s=10)


class _Stopped(Exception):
    """The session was asked to stop."""


class MqttSession:
    """Keeps a connection to the broker for as long as `run` runs, and reconnects after a loss.

    `on_message` is called for each message, in order. It is called while the socket is read, so it
    must not block.
    The session is ready when the retained messages of all filters have been delivered. Its own
    status, published after the subscription and read back, marks their end.
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
        self._client_id = f"{config.service}-{config.instance}-{secrets.token_hex(4)}"
        self._topics = subscribe_topics(subscription, config.status_topic, v5=self._v5)
        self._on_message = on_message
        self._on_ready = on_ready
        self._on_lost = on_lost

        self._connection: Connection | None = None
        self._status_returned: asyncio.Future[None] | None = None
        self._ready = asyncio.Event()
        self._ready_since = 0.0
        self._ready_for_s: float | None = None
        self._last_error = "not connected yet"
        self._owner_error: Exception | None = None
        """What `on_lost` raised in a callback of asyncio, which would only log it."""

    @property
    def is_ready(self) -> bool:
        """Whether the session is connected, subscribed and has all retained messages."""
        return self._ready.is_set()

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
        outage = _OutageLog()
        while not stopping.is_set():
            try:
                await self._serve(stopping)
            except _Stopped:
                break
            except (BrokerLost, BrokerUnusable) as error:
                self._mark_lost(str(error))
                if stopping.is_set():
                    break
                outage.report(self.last_error, error, was_ready=self._ready_for_s is not None)
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

    def abort(self) -> None:
        """Close the connection without DISCONNECT, so that the broker publishes the last will."""
        if self._connection is not None:
            self._connection.abort()

    async def _serve(self, stopping: asyncio.Event) -> None:
        """Open one connection and keep it until it ends; raises the reason, or _Stopped."""
        self._ready_for_s = None
        self._status_returned = None
        will = LastWill(self._config.status_topic, OFFLINE)
        connection = Connection(
            self._config, self._client_id, ConnectionEvents(self._receive, self._connection_lost)
        )
        try:
            await _until_stopped(stopping, connection.open(will))
            self._connection = connection
            await _until_stopped(stopping, self._establish(connection))
            await _until_stopped(stopping, connection.wait_lost())
        except _Stopped:
            await self._leave(connection)
            raise
        finally:
            connection.abort()
            if self._owner_error is not None:
                raise self._owner_error

    async def _establish(self, connection: Connection) -> None:
        """Subscribe, publish `online`, and wait until it has come back."""
        status_topic = self._config.status_topic
        timeout_s = self._config.limits.response_timeout_s
        try:
            granted = await connection.subscribe(self._topics)
            for (topic, _), code in zip(self._topics, granted, strict=False):
                if code.value >= FAILURE:
                    raise BrokerUnusable(
                        f"the broker refused the subscription to {topic} ({code}); check its ACL"
                    )
            async with asyncio.timeout(timeout_s):
                self._status_returned = asyncio.get_running_loop().create_future()
                await self.publish(status_topic, ONLINE, retain=True)
                await self._status_returned
        except PublishRefused as error:
            raise BrokerUnusable(str(error)) from None
        except TimeoutError:
            raise BrokerUnusable(
                f"the session's own status on {status_topic} did not come back within "
                f"{timeout_s:g} s; the broker's ACL must let it write and read that topic"
            ) from None
        except BrokerLost as error:
            # Not the error of a publish, because that one and `last_error` both add the URL.
            reason = connection.loss or error
            if not connection.was_closed_by_broker:
                raise reason from None
            # Some brokers refuse a publish like this.
            raise BrokerUnusable(
                f"{reason} before the session was ready; if that always happens, the broker's ACL "
                f"does not let the user in MQTT_URL write {status_topic}"
            ) from None
        self._ready_since = asyncio.get_running_loop().time()
        self._ready.set()
        log.info("broker ready", broker=str(self._config.broker))
        self._on_ready()

    async def _leave(self, connection: Connection) -> None:
        """Publish `offline` and disconnect, if the broker answers in time."""
        with contextlib.suppress(TimeoutError, BrokerLost, PublishRefused):
            async with asyncio.timeout(self._config.limits.disconnect_timeout_s):
                await self.publish(self._config.status_topic, OFFLINE, retain=True)
            await connection.disconnect()

    def _receive(self, message: Message) -> None:
        if message.topic == self._config.status_topic:
            if message.payload == ONLINE and not message.retained:
                self._complete_status()
            return
        try:
            self._on_message(message)
        except Exception:
            # Caught, because an error of the handler must not end the connection.
            log.exception("message handler failed", topic=message.topic)

    def _complete_status(self) -> None:
        if self._status_returned is not None and not self._status_returned.done():
            self._status_returned.set_result(None)

    def _connection_lost(self, error: BrokerLost) -> None:
        if self._status_returned is not None and not self._status_returned.done():
            self._status_returned.set_exception(error)
            self._status_returned.exception()  # retrieved, because nothing may await it
        try:
            self._mark_lost(str(error))
        except Exception as owner_error:
            self._owner_error = owner_error

    def _mark_lost(self, error: str) -> None:
        """Record that there is no connection, and why; call `on_lost` if the session was ready."""
        self._last_error = error
        self._connection = None
        if self._ready.is_set():
            self._ready_for_s = asyncio.get_running_loop().time() - self._ready_since
            self._ready.clear()
            self._on_lost()


class _OutageLog:
    """Logs an outage once, however many attempts fail, and each further reason from the broker."""

    def __init__(self) -> None:
        self._logged: set[str] = set()

    def report(self, text: str, error: Exception, *, was_ready: bool) -> None:
        """Log a failed attempt, or the loss of a session that was ready, unless it was logged."""
        if was_ready:
            self._logged = {text}
            log.warning("broker lost; reconnecting", error=text)
        elif not self._logged or (isinstance(error, BrokerUnusable) and text not in self._logged):
            self._logged.add(text)
            log.warning("broker unavailable; retrying", error=text)


async def _until_stopped(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Await `work`; if `stopping` is set first, cancel it and raise _Stopped."""
    task = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise _Stopped
        task.result()
    finally:
        task.cancel()
        stopped.cancel()
        await asyncio.gather(task, stopped, return_exceptions=True)
