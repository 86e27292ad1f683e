"""One MQTT session that keeps itself: connect, subscribe, be ready, and again after every loss.

The only module that knows aiomqtt and paho.
aiomqtt connects, keeps alive, subscribes and closes.
Messages and acknowledgements are taken from paho's callbacks underneath it:
aiomqtt 2.5 drops an acknowledgement's reason code, so a publish that the broker refused would pass
for one that it took, and it costs a task and a queue for every message received.
"""

import asyncio
import contextlib
import functools
import random
import secrets
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import aiomqtt
import structlog
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from contract.topics import OFFLINE, ONLINE
from runtime.backoff import Backoff
from runtime.broker_url import BrokerAddress
from runtime.intake import Intake
from runtime.mqtt_socket import drive
from runtime.outflow import Outflow

log = structlog.get_logger()

KEEPALIVE_S: Final = 20
"""A broker that says nothing for twice as long is gone: asked in the middle, it did not answer."""

CONNECT_S: Final = 4.0
"""How long a connection may take to be made: a thread waits for it, and a stop for the thread."""

ANSWER_S: Final = 10.0
"""How long the broker may take to acknowledge before the connection counts as dead."""

FAREWELL_S: Final = 1.0
"""How long leaving may take: a broker that does not answer must not hold up a stop."""

INFLIGHT: Final = 1024
"""How many publishes may be unacknowledged, where the broker does not want fewer (its Receive
Maximum, MQTT 5 §4.9); what is more waits its turn."""

_FAILURE: Final = 0x80
"""From here on a reason code says no (MQTT 5 §2.4)."""

_RECONNECT: Final = Backoff(first=0.5, most=10)


class BrokerLost(Exception):
    """There is no connection, or it ended before the broker confirmed."""


class PublishRefused(Exception):
    """The broker answered that it will not take a publish; the message says why."""


class _Unusable(Exception):
    """The broker answers but cannot be used as it is set up; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message received. `retained` says that the broker had it before we subscribed."""

    topic: str
    payload: bytes
    retained: bool


class _Publish(NamedTuple):
    topic: str
    payload: bytes
    retain: bool
    properties: bytes
    confirmed: asyncio.Future[None]


@dataclass(slots=True)
class _Pending:
    confirmed: asyncio.Future[None]
    deadline: float
    topic: str


class MqttSession:
    """A connection to the broker, made again for as long as `run` runs.

    `filters` are subscribed with QoS 1 on each connection, and `on_message` gets what arrives, in
    order and at once: it must not block.
    The session is ready when the retained messages of all filters have been delivered: its own
    status, published after the subscription and read back, marks their end.
    With `no_local` our own publishes are not sent back to us, where the protocol can say so.
    `on_ready` and `on_lost` tell the owner of either.
    """

    def __init__(
        self,
        broker: BrokerAddress,
        *,
        protocol: Literal["5", "3.1.1"],
        service: str,
        instance: str,
        status_topic: str,
        filters: Sequence[str] = (),
        no_local: bool = False,
        on_message: Callable[[Message], None] = lambda _message: None,
        on_ready: Callable[[], None] = lambda: None,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._broker = broker
        self._protocol = (
            aiomqtt.ProtocolVersion.V5 if protocol == "5" else aiomqtt.ProtocolVersion.V311
        )
        # Two processes with one client id would throw each other out for ever.
        self._client_id = f"{service}-{instance}-{secrets.token_hex(4)}"
        self._status_topic = status_topic
        self._filters = (*filters, status_topic)
        self._no_local = no_local
        self._on_message = on_message
        self._on_ready = on_ready
        self._on_lost = on_lost

        self._paho: Any = None
        self._inflight = INFLIGHT
        self._waiting: deque[_Publish] = deque()
        self._pending: dict[int, _Pending] = {}
        self._read_back = asyncio.Event()
        self._ready = asyncio.Event()
        self._trouble = "not connected yet"

    @property
    def is_ready(self) -> bool:
        """Whether the session is connected, subscribed and has all retained messages."""
        return self._ready.is_set()

    @property
    def trouble(self) -> str:
        """Why the session is not ready, for a person."""
        return f"{self._broker}: {self._trouble}"

    async def wait_ready(self) -> None:
        """Wait until the session is ready."""
        await self._ready.wait()

    async def run(self, stopping: asyncio.Event) -> None:
        """Keep the session until `stopping` is set, then say `offline` and leave in order."""
        attempt = 0
        said: set[str] = set()
        while not stopping.is_set():
            try:
                await self._until_stopped(stopping)
            except (aiomqtt.MqttError, BrokerLost, PublishRefused, _Unusable, OSError) as error:
                if stopping.is_set():
                    break  # nobody waits for it any more
                was_ready = self._ready.is_set()
                self._end(_sentence(error))
                # Once for an outage, however many attempts it takes; a broker that answers and
                # says what is wrong is another matter, and heard.
                answers = isinstance(error, (_Unusable, MqttConnectError))
                if was_ready:
                    attempt, said = 0, {self.trouble}
                    log.warning("broker lost; trying again until it is back", why=self.trouble)
                elif not said or (answers and self.trouble not in said):
                    said.add(self.trouble)
                    log.warning("no broker yet; trying until there is one", why=self.trouble)
                delay = _RECONNECT.delay(attempt, random.random())  # noqa: S311 - jitter
                attempt += 1
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), delay)
            finally:
                self._end("stopped" if stopping.is_set() else self._trouble)

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
        """Send with QoS 1 now; the future is done when the broker has confirmed.

        Publishes leave in the order of the calls.
        The future, or this call, raises BrokerLost or PublishRefused.
        The properties are left out where the protocol has none.
        """
        if self._paho is None:
            raise BrokerLost(self.trouble)
        properties = b""
        if self._protocol is aiomqtt.ProtocolVersion.V5:
            properties = _publish_properties(content_type, expiry_s, tuple(user_properties))
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        publish = _Publish(topic, payload, retain, properties, confirmed)
        if self._waiting or len(self._pending) >= self._inflight:
            self._waiting.append(publish)
        else:
            self._send(publish)
        return confirmed

    def _send(self, publish: "_Publish") -> None:
        mid = self._outflow.send(
            publish.topic,
            publish.payload,
            retain=publish.retain,
            properties=publish.properties,
            taken=self._pending,
        )
        deadline = asyncio.get_running_loop().time() + ANSWER_S
        self._pending[mid] = _Pending(publish.confirmed, deadline, publish.topic)

    def _send_waiting(self) -> None:
        while self._waiting and self._paho is not None and len(self._pending) < self._inflight:
            self._send(self._waiting.popleft())

    async def _until_stopped(self, stopping: asyncio.Event) -> None:
        """Live one connection; one that is still being made is given up when asked to stop."""
        connection = asyncio.ensure_future(self._connection(stopping))
        asked = asyncio.ensure_future(stopping.wait())
        try:
            await asyncio.wait((connection, asked), return_when=asyncio.FIRST_COMPLETED)
            if self._paho is None:
                connection.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await connection
        finally:
            asked.cancel()
            connection.cancel()

    async def _connection(self, stopping: asyncio.Event) -> None:
        """Live one connection from its start to its end; raises why it ended, unless asked to."""
        client = aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.user,
            password=self._broker.password,
            identifier=self._client_id,
            protocol=self._protocol,
            will=aiomqtt.Will(self._status_topic, OFFLINE, qos=1, retain=True),
            keepalive=KEEPALIVE_S,
            timeout=ANSWER_S,
            # No limit of paho's own: it looks at all that is in flight for every acknowledgement.
            max_inflight_messages=0,
            # A small publish must not wait 40 ms for the acknowledgement of the one before.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            tls_params=aiomqtt.TLSParameters() if self._broker.tls else None,
        )
        paho = client._client
        paho.connect_timeout = CONNECT_S
        v5 = self._protocol is aiomqtt.ProtocolVersion.V5
        Intake(paho, self._received, self._acknowledged, properties=v5)
        self._outflow = Outflow(paho)
        paho.on_message = self._received_by_paho
        paho.on_connect = functools.partial(self._connected, paho.on_connect)
        drive(client)
        async with client:
            # Looked at, so that a loss while we leave is not reported as one nobody saw.
            client._disconnected.add_done_callback(lambda end: end.cancelled() or end.exception())
            self._paho = paho
            self._read_back.clear()
            # Nothing is ever put on aiomqtt's own queue, so waiting for it waits for the end.
            ended = asyncio.ensure_future(anext(aiter(client.messages)))
            asked = asyncio.ensure_future(stopping.wait())
            begun = asyncio.ensure_future(self._begin(client))
            try:
                await asyncio.wait((ended, asked, begun), return_when=asyncio.FIRST_COMPLETED)
                if begun.done():
                    begun.result()
                    while not (ended.done() or asked.done()):
                        await asyncio.wait(
                            (ended, asked), timeout=1, return_when=asyncio.FIRST_COMPLETED
                        )
                        self._check_deadlines()
                if ended.done():
                    if not self._ready.is_set():
                        # So some brokers refuse a publish to an MQTT 3.1.1 client.
                        raise _Unusable(
                            "it hung up before we were ready; if it always does, its ACL does not "
                            f"let the user in MQTT_URL write {self._status_topic}"
                        )
                    await ended
                # Also when not ready yet: our `online` may be on its way already.
                begun.cancel()
                client.timeout = FAREWELL_S
                async with asyncio.timeout(FAREWELL_S):
                    await self.publish(self._status_topic, OFFLINE, retain=True)
            finally:
                for task in (ended, asked, begun):
                    task.cancel()
                await asyncio.gather(ended, asked, begun, return_exceptions=True)

    async def _begin(self, client: aiomqtt.Client) -> None:
        granted = await client.subscribe(self._subscriptions())
        for topic, code in zip(self._filters, granted, strict=False):
            if _code(code) >= 128:
                raise _Unusable(f"it refused to let us read {topic} ({code}); check its ACL")
        try:
            async with asyncio.timeout(ANSWER_S):
                await self.publish(self._status_topic, ONLINE, retain=True)
                await self._read_back.wait()
        except PublishRefused as error:
            raise _Unusable(f"{error}; check its ACL and the user in MQTT_URL") from None
        except TimeoutError:
            raise _Unusable(
                f"our own status on {self._status_topic} did not come back within "
                f"{ANSWER_S:.0f} s; its ACL must let us write and read it"
            ) from None
        self._ready.set()
        log.info("broker ready", broker=str(self._broker))
        self._on_ready()

    def _subscriptions(self) -> Any:
        if self._protocol is aiomqtt.ProtocolVersion.V5:
            return [
                # Our own status is read back, so it must come to us.
                (
                    topic,
                    SubscribeOptions(qos=1, noLocal=self._no_local and topic != self._status_topic),
                )
                for topic in self._filters
            ]
        return [(topic, 1) for topic in self._filters]

    def _connected(self, then: Any, paho: object, userdata: object, *answer: Any) -> None:
        _flags, _code, properties = answer
        self._inflight = min(INFLIGHT, getattr(properties, "ReceiveMaximum", INFLIGHT))
        then(paho, userdata, *answer)

    def _received_by_paho(self, _client: object, _userdata: object, message: MQTTMessage) -> None:
        self._received(message.topic, bytes(message.payload), bool(message.retain))

    def _received(self, topic: str, payload: bytes, retained: bool) -> None:
        if topic == self._status_topic:
            if payload == ONLINE and not retained:
                self._read_back.set()
            return
        try:
            self._on_message(Message(topic, payload, retained))
        except Exception:
            # A bug of ours must not look like a broken connection, nor stop the stream.
            log.exception("a message could not be handled", topic=topic)

    def _acknowledged(self, mid: int, reason: int) -> None:
        pending = self._pending.pop(mid, None)
        if pending is None:
            log.warning("the broker acknowledged what was not sent", mid=mid)
            return
        if pending.confirmed.done():
            pass  # nobody waits for it any more
        elif reason >= _FAILURE:
            pending.confirmed.set_exception(
                PublishRefused(
                    f"the broker refused a publish to {pending.topic} ({_reason_name(reason)})"
                )
            )
        else:
            pending.confirmed.set_result(None)
        if self._waiting:
            self._send_waiting()

    def _check_deadlines(self) -> None:
        # Insertion order is deadline order, so the first one speaks for all.
        first = next(iter(self._pending.values()), None)
        if first is not None and asyncio.get_running_loop().time() > first.deadline:
            raise BrokerLost(f"no acknowledgement within {ANSWER_S:.0f} s")

    def _end(self, why: str) -> None:
        """Tell everyone who waits that this connection is over."""
        self._trouble = why
        self._paho = None
        pending, self._pending = self._pending, {}
        waiting, self._waiting = self._waiting, deque()
        for sent in pending.values():
            _fail(sent.confirmed, BrokerLost(self.trouble))
        for unsent in waiting:
            _fail(unsent.confirmed, BrokerLost(self.trouble))
        if self._ready.is_set():
            self._ready.clear()
            self._on_lost()


def _fail(confirmed: asyncio.Future[None], error: Exception) -> None:
    if not confirmed.done():
        confirmed.set_exception(error)
        confirmed.exception()  # whoever gave up waiting is no unhandled error


@functools.lru_cache(maxsize=64)
def _publish_properties(
    content_type: str | None, expiry_s: int | None, user: tuple[tuple[str, str], ...]
) -> bytes:
    # Kept, because making and packing them costs more than all the rest of a publish.
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.PayloadFormatIndicator = 1
    if content_type is not None:
        properties.ContentType = content_type
    if expiry_s is not None:
        properties.MessageExpiryInterval = expiry_s
    for pair in user:
        properties.UserProperty = pair
    packed: bytes = properties.pack()  # type: ignore[no-untyped-call]
    return packed


def _reason_name(reason: int) -> str:
    try:
        return str(ReasonCode(PacketTypes.PUBACK, identifier=reason))
    except (KeyError, AssertionError):
        return f"reason {reason}"


def _sentence(error: BaseException) -> str:
    if isinstance(error, MqttConnectError):
        return f"{error}; check the user and password in MQTT_URL"
    if error.__cause__ is not None:
        return f"the connection ended ({error.__cause__})"
    return f"{error}"


def _code(code: Any) -> int:
    """Return a reason code as the number on the wire, whichever of its types the client gives."""
    return int(getattr(code, "value", code))
