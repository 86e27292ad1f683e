"""One connection to the broker, from TCP to its end."""

import asyncio
from typing import Any, Final, cast

from runtime.clocks import monotonic_s
from runtime.mqtt.config import SessionConfig
from runtime.mqtt.connection_events import ConnectionEvents, LastWill
from runtime.mqtt.errors import BrokerLost, BrokerUnusable
from runtime.mqtt.packets import MalformedPacket, encode_pubacks
from runtime.mqtt.paho_loop import PahoLoop, TransportSocket
from runtime.mqtt.pieces import Pieces
from runtime.mqtt.properties import (
    FAILURE,
    connect_advice,
    connect_properties,
    received_message,
)
from runtime.mqtt.publish_window import Publish, PublishWindow, WindowLimits
from runtime.mqtt.reader import PacketHandlers, PacketReader
from runtime.mqtt.silence import Silence
from runtime.mqtt.transport import closed_by_broker, open_transport, os_error_text
from runtime.mqtt.writer import PacketWriter
from runtime.tls import watched

_CLOSE_TIMEOUT_S: Final = 0.5
"""For the last bytes to leave, and for TLS to be closed."""

_CONNACK: Final = 0x20
_PINGREQ: Final = b"\xc0\x00"


class Connection(asyncio.Protocol):
    """A connection that the broker has accepted, or is about to.

    It ends once: `on_lost` is called, every publish without an acknowledgement fails, and
    `wait_lost` raises.
    """

    _writer: PacketWriter
    _window: PublishWindow
    _reader: PacketReader
    _pieces: Pieces
    _silence: Silence

    def __init__(self, config: SessionConfig, client_id: str, events: ConnectionEvents) -> None:
        self._config = config
        self._events = events
        self._v5 = config.protocol == "5"
        self._paho = PahoLoop(client_id, v5=self._v5)
        self._loop = asyncio.get_running_loop()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._response: asyncio.Future[Any] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self.was_closed_by_broker = False
        """Whether the broker closed it, with or without a DISCONNECT packet."""
        self._has_connack = False
        self._is_disconnecting = False
        self._is_first_byte = True

    async def open(self, will: LastWill | None) -> None:
        """Connect, and wait until the broker has accepted; cancelling closes the socket.

        Raises BrokerLost or BrokerUnusable.
        """
        timeout_s = self._config.limits.connect_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                transport = await open_transport(self._config.broker, self)
        except TimeoutError:
            raise BrokerLost(f"cannot connect (no answer within {timeout_s:g} s)") from None
        except OSError as error:
            raise BrokerLost(f"cannot connect ({os_error_text(error)})") from None
        await self._handshake(transport, will)

    async def _handshake(self, transport: asyncio.Transport, will: LastWill | None) -> None:
        self._raise_if_lost()
        limits, broker, client = self._config.limits, self._config.broker, self._paho.client
        client.on_connect = self._on_connack
        client.on_subscribe = self._on_suback
        client.on_message = self._on_paho_message
        client.on_disconnect = self._on_paho_disconnect
        self._paho.set_will(will)
        if broker.user is not None:
            client.username_pw_set(broker.user, broker.password)
        self._paho.connect(
            TransportSocket(transport, self._writer),
            self._on_tick,
            host=broker.host,
            port=broker.port,
            keepalive=limits.keepalive_s,
            properties=connect_properties(limits.max_packet_bytes) if self._v5 else None,
        )
        reason, properties = await self._await_response("CONNECT", limits.connack_timeout_s)
        if reason.value >= FAILURE:
            raise BrokerUnusable(
                f"the broker refused the connection ({reason}){connect_advice(reason.value)}"
            )
        self._window.limits = WindowLimits(
            min(limits.max_in_flight, getattr(properties, "ReceiveMaximum", limits.max_in_flight)),
            limits.response_timeout_s,
            getattr(properties, "MaximumPacketSize", None),
        )

    def send_subscribe(self, topics: list[tuple[str, Any]]) -> None:
        """Send SUBSCRIBE at the end of this turn of the event loop; raises BrokerLost."""
        self._raise_if_lost()
        self._response = self._loop.create_future()
        self._paho.subscribe(topics)

    def send_unsubscribe(self, filters: list[str]) -> None:
        """Send UNSUBSCRIBE; raises BrokerLost."""
        self._raise_if_lost()
        self._paho.unsubscribe(filters)

    async def wait_subscribed(self) -> list[Any]:
        """Return the broker's reason code for each topic of the SUBSCRIBE; raises BrokerLost."""
        timeout_s = self._config.limits.response_timeout_s
        codes: list[Any] = await self._await_response("SUBSCRIBE", timeout_s)
        return codes

    def publish_direct(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 0, behind what was sent in this turn; raises BrokerLost."""
        self._raise_if_lost()
        self._paho.publish(topic, payload)

    def publish(self, publish: Publish) -> asyncio.Future[None]:
        """Publish, see `PublishWindow.publish`; the future, or this call, raises BrokerLost."""
        self._raise_if_lost()
        return self._window.publish(publish)

    async def wait_for(
        self, response: "asyncio.Future[Any]", timeout_s: float | None = None
    ) -> Any:
        """Wait for `response` for as long as the broker sends anything.

        Raises TimeoutError when nothing has arrived for `timeout_s`, which is the response timeout
        by default, and BrokerLost.
        """
        timeout_s = self._config.limits.response_timeout_s if timeout_s is None else timeout_s
        started = monotonic_s()
        while True:
            now = monotonic_s()
            left_s = timeout_s - min(self._silence.silent_s(now), now - started)
            if left_s <= 0 and not response.done():
                raise TimeoutError
            # In steps of a second, because a longer wait would look as if the process had slept.
            await asyncio.wait(
                (response, self._lost),
                timeout=min(max(left_s, 0), 1),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if response.done():
                return response.result()
            self._raise_if_lost()

    @property
    def loss(self) -> BaseException | None:
        """The reason why the connection has ended, as BrokerLost; None while it has not."""
        return self._lost.exception() if self._lost.done() else None

    async def wait_lost(self) -> None:
        """Wait for the end of the connection, and raise its reason as BrokerLost."""
        async with watched(self._config.broker.tls_files):
            await asyncio.shield(self._lost)

    async def disconnect(self) -> None:
        """Send DISCONNECT, so that the broker discards the last will, and close."""
        self._is_disconnecting = True
        self._paho.disconnect()
        await asyncio.wait((self._closed,), timeout=_CLOSE_TIMEOUT_S)
        self.abort()

    def abort(self) -> None:
        """Close the socket without DISCONNECT, so that the broker publishes the last will."""
        self._end(BrokerLost("the connection was closed on this side"))

    # Callbacks of asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Prepare to read and write."""
        limits = self._config.limits
        self._transport = cast("asyncio.Transport", transport)
        self._silence = Silence(monotonic_s(), limits.keepalive_s)
        if self._lost.done():
            self._transport.abort()
        self._writer = PacketWriter(self._transport)
        self._window = PublishWindow(
            self._writer.write,
            WindowLimits(limits.max_in_flight, limits.response_timeout_s, None),
        )
        handlers = PacketHandlers(
            on_message=self._events.on_message,
            on_acknowledge=lambda ids: self._writer.write(encode_pubacks(ids)),
            on_puback=self._window.acknowledge,
            on_other=self._paho.read,
            on_oversized=self._events.on_oversized,
        )
        self._reader = PacketReader(handlers, v5=self._v5, max_packet_bytes=limits.max_packet_bytes)
        self._pieces = Pieces(self._transport, self._handle)

    def data_received(self, data: bytes) -> None:
        """Handle the packets in `data`, in pieces."""
        if self._is_first_byte:
            self._is_first_byte = False
            if data[0] != _CONNACK:
                self._end(BrokerLost(f"the broker does not speak MQTT (it sent {data[:24]!r})"))
                return
        self._pieces.feed(data)

    def _handle(self, piece: bytes) -> None:
        self._silence.received(monotonic_s())
        try:
            self._reader.feed(piece)
        except MalformedPacket as error:
            self._end(BrokerLost(f"the broker sent bytes that are not valid MQTT ({error})"))

    def connection_lost(self, exc: Exception | None) -> None:
        """End, with the reason that the system gives."""
        if self._is_disconnecting:
            self.abort()
        elif not self._lost.done():
            self.was_closed_by_broker = True
            reason = closed_by_broker(
                exc, has_connack=self._has_connack, v5=self._v5, has_tls=self._config.broker.tls
            )
            self._end(reason)
        if not self._closed.done():
            self._closed.set_result(None)

    # Callbacks of paho

    def _on_connack(
        self, _client: Any, _userdata: Any, _flags: Any, reason: Any, properties: Any
    ) -> None:
        self._has_connack = True
        self._set_response((reason, properties))

    def _on_suback(
        self, _client: Any, _userdata: Any, _mid: int, codes: Any, _properties: Any
    ) -> None:
        self._set_response(codes)

    def _on_paho_message(self, _client: Any, _userdata: Any, message: Any) -> None:
        self._events.on_message(received_message(message))

    def _on_paho_disconnect(
        self, _client: Any, _userdata: Any, flags: Any, reason: Any, _properties: Any
    ) -> None:
        if self._is_disconnecting:
            return  # because its last bytes are still to be written
        if flags.is_disconnect_packet_from_server:
            self.was_closed_by_broker = True
            self._end(BrokerLost(f"the broker ended the connection ({reason})"))
        else:
            self._end(BrokerLost(f"the connection ended ({reason})"))

    def _set_response(self, response: Any) -> None:
        if not self._response.done():
            self._response.set_result(response)

    async def _await_response(self, request: str, timeout_s: float) -> Any:
        try:
            return await self.wait_for(self._response, timeout_s)
        except TimeoutError:
            raise BrokerLost(f"no response to {request} within {timeout_s:g} s") from None

    def _raise_if_lost(self) -> None:
        if self._lost.done():
            self._lost.result()

    def _on_tick(self) -> None:
        """Check the keepalive and the acknowledgements, once a second."""
        now, limits = monotonic_s(), self._config.limits
        due = self._silence.check_keepalive(now)
        if due == "ping":
            self._writer.write(_PINGREQ)
        elif due == "lost":
            self._end(BrokerLost(f"nothing arrived for {limits.keepalive_s:g} s after a ping"))
        elif self._window.is_overdue(self._silence.silent_s(now)):
            self._end(BrokerLost(f"no acknowledgement within {limits.response_timeout_s:g} s"))

    def _end(self, error: BrokerLost) -> None:
        """End the connection, once."""
        if self._lost.done():
            return
        self._lost.set_exception(error)
        self._lost.exception()  # retrieved, because nothing may await it
        if not self._response.done():
            self._response.set_exception(error)
            self._response.exception()
        if self._transport is not None:
            self._transport.abort()
            self._paho.end()
            self._window.fail(BrokerLost(f"{self._config.broker}: {error}"))
        self._events.on_lost(error)
