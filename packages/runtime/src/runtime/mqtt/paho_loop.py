"""paho's external event loop on asyncio.

asyncio connects, encrypts, reads and writes, because paho's own connect blocks and its reads take
one packet at a time. paho gets a socket of its `SocketLike` protocol that reads from memory and
writes to asyncio's transport, and it is driven by `loop_read` and `loop_write`. Its keepalive
(`loop_misc`) is not used, because it does not see the messages that arrive: see `silence`.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from paho.mqtt.client import Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from runtime.mqtt.connection_events import LastWill
from runtime.mqtt.packets import MalformedPacket
from runtime.mqtt.properties import will_properties
from runtime.mqtt.writer import PacketWriter

_log = logging.getLogger("mqtt")

_TICK_S: Final = 1.0
"""The interval of the connection's own checks."""


class TransportSocket:
    """A socket for paho that reads from memory and writes to a transport."""

    def __init__(self, transport: asyncio.Transport, writer: PacketWriter) -> None:
        self._transport = transport
        self._writer = writer
        self._unread = b""

    def feed(self, packet: bytes) -> None:
        """Append `packet` to what paho's next reads return."""
        self._unread += packet

    @property
    def has_unread(self) -> bool:
        """Whether paho has not read all packets."""
        return bool(self._unread)

    def recv(self, size: int) -> bytes:
        """Return at most `size` bytes; raises BlockingIOError when there are none."""
        if not self._unread:
            raise BlockingIOError
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def send(self, data: bytes | bytearray) -> int:
        """Write all of `data`."""
        self._writer.write(bytes(data))
        return len(data)

    def close(self) -> None:
        """Write what is left, then close."""
        self._writer.flush()
        self._transport.close()

    def fileno(self) -> int:
        """Return the connection's descriptor."""
        descriptor: int = self._transport.get_extra_info("socket").fileno()
        return descriptor

    def setblocking(self, flag: bool) -> None:
        """Do nothing: no call here blocks."""


class PahoLoop:
    """Drives one paho client over one connection. It never reconnects."""

    def __init__(self, client_id: str, *, v5: bool) -> None:
        self._v5 = v5
        self.client: Any = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTv5 if v5 else MQTTv311,
            reconnect_on_failure=False,
        )
        self.client.on_socket_open = self._on_socket_open
        self.client.on_socket_close = self._on_socket_close
        self.client.on_socket_register_write = self._on_register_write
        if _log.isEnabledFor(logging.DEBUG):
            self.client.enable_logger(_log)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._on_tick: Callable[[], None] = lambda: None

    def set_will(self, will: LastWill | None) -> None:
        """Set the last will of the next CONNECT, if there is one."""
        if will is None:
            return
        properties = will_properties(will.expiry_s) if self._v5 else None
        self.client.will_set(will.topic, will.payload, qos=1, retain=True, properties=properties)

    def connect(
        self, connection: TransportSocket, on_tick: Callable[[], None], **options: Any
    ) -> None:
        """Send CONNECT over `connection`; `options` are those of paho's `Client.connect`.

        `on_tick` is called once a second while the connection is open.
        """
        self._on_tick = on_tick
        self.client.connection = connection
        self.client.connect(**options)
        if self.client.socket() is not connection:
            raise RuntimeError("this version of paho-mqtt makes its socket elsewhere")

    def read(self, packet: bytes) -> bool:
        """Pass a packet to paho; return whether the connection stays open.

        Raises MalformedPacket for whatever paho raises, because nothing more can be read then.
        """
        connection = self.client.connection
        connection.feed(packet)
        try:
            while connection.has_unread:
                if self.client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    return False
        except Exception as error:
            raise MalformedPacket(f"paho cannot read a packet: {error!r}") from error
        return True

    def end(self) -> None:
        """Stop the timer, because the connection has ended; paho is not used again."""
        if self._timer is not None:
            self._timer.cancel()

    def subscribe(self, topics: list[tuple[str, Any]]) -> None:
        """Send SUBSCRIBE, in front of what is written after this call."""
        self.client.subscribe(topics)
        self.client.loop_write()

    def unsubscribe(self, filters: list[str]) -> None:
        """Send UNSUBSCRIBE; nothing waits for its acknowledgement."""
        self.client.unsubscribe(filters)
        self.client.loop_write()

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 0, in front of what is written after this call."""
        self.client.publish(topic, payload, qos=0)
        self.client.loop_write()

    def disconnect(self) -> None:
        """Send DISCONNECT and close the connection."""
        self.client.disconnect()
        self.client.loop_write()

    def _on_socket_open(self, _client: object, _userdata: object, _socket: object) -> None:
        self._timer = self._loop.call_later(_TICK_S, self._tick)

    def _on_socket_close(self, _client: object, _userdata: object, _socket: object) -> None:
        self.end()

    def _on_register_write(self, client: Any, _userdata: object, _socket: object) -> None:
        # Not at once: paho may hold a lock that writing needs.
        self._loop.call_soon(client.loop_write)

    def _tick(self) -> None:
        # First, because closing the connection stops it.
        self._timer = self._loop.call_later(_TICK_S, self._tick)
        self._on_tick()


class _Client(Client):
    """A paho client that uses a connection which exists already."""

    connection: TransportSocket

    def _create_socket(self) -> TransportSocket:
        return self.connection
