"""A recorder of what the broker publishes; it misses no state that the broker confirmed.

It is connected to the broker without a proxy, and subscribes with QoS 0. Here QoS 0 is as reliable
as QoS 1, for these reasons:

- mosquitto writes a message to its subscribers before it acknowledges the publish. So every
  confirmed state was written to the recorder's socket before, and the kernel delivers it even if
  the broker is killed a moment later.
- The socket needs room for it, because what does not fit stays in the broker's memory and is lost
  with it. `most_unread` is the largest read that contained a new state; `check` asserts that it is
  below READ_SIZE, which is a part of the room.
- The recorder has to be subscribed: the pollers connect through a proxy that accepts connections
  only afterwards (see `mqtt_proxy`).
- The recorder writes nothing after it has subscribed. With QoS 1 it would acknowledge, and a write
  to a broker that has just died ends the connection with its unread data.

Retained states, which arrive on subscribing, are evidence as well.
"""

import asyncio
import socket
from collections import defaultdict
from typing import Final

from contract.topics import Topics
from contract.updates import Update, decode_state
from devstack import ports

RECEIVE_BUFFER: Final = 2**21
"""The size of the receive buffer to ask for, in bytes; the kernel may give less."""

READ_SIZE: Final = 2**18
"""The size of asyncio's reads, in bytes. A shorter read leaves nothing in the socket."""

_CONNECT: Final = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x02rc"
"""MQTT 3.1.1 with a clean session and no keep-alive, so that nothing has to be written later."""


class Recorder:
    """All states received below a topic prefix, over all connections."""

    def __init__(self, port: int, prefix: str) -> None:
        self.received: dict[str, list[Update]] = defaultdict(list)
        self.live = 0
        """The number of states that were published while subscribed, not sent as retained."""
        self.duplicates = 0
        """The number of these that had been published before, ignoring their hops."""
        self.unexpected: list[str] = []
        self.most_unread = 0
        self.room = 0
        self._port = port
        self._topics = Topics(prefix)
        self._since: dict[str, tuple[int, int]] = {}
        self._contents: set[bytes] = set()
        self._connection: _Connection | None = None

    async def connect(self) -> None:
        """Connect and subscribe; every publish is recorded until the broker is killed."""
        self._since.clear()
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self.room = plain.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        plain.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(plain, (ports.HOST, self._port))
        _, self._connection = await loop.create_connection(
            lambda: _Connection(self, self._topics.all_states.encode()), sock=plain
        )
        async with asyncio.timeout(10):
            await self._connection.subscribed.wait()

    async def drained(self) -> None:
        """Wait until the connection of a killed broker has been read to its end."""
        assert self._connection is not None
        async with asyncio.timeout(10):
            await self._connection.ended.wait()

    def close(self) -> None:
        """Disconnect."""
        if self._connection is not None:
            self._connection.close()

    def newest(self) -> dict[str, tuple[int, int]]:
        """Return the order of the newest state of each pillow."""
        return {
            pillow: max(one.order for one in states) for pillow, states in self.received.items()
        }

    def behind(self, newest: dict[str, tuple[int, int]]) -> list[str]:
        """Return the pillows without a state as new as `newest` on this connection."""
        return [
            pillow for pillow, order in newest.items() if self._since.get(pillow, (-1, -1)) < order
        ]

    def check(self) -> None:
        """Assert that no state can have been missed, and that every message was valid."""
        assert self.unexpected == []
        assert self.most_unread < READ_SIZE < self.room, (
            f"{self.most_unread} bytes were unread in a socket with room for {self.room}: the "
            "recorder may have missed what a killed broker had not written yet"
        )

    def record(self, topic: str, payload: bytes, retained: bool) -> None:
        """Record a message."""
        parsed = self._topics.parse(topic)
        update = decode_state(parsed.pillow, payload) if parsed else "not the topic of a state"
        if isinstance(update, str):
            self.unexpected.append(f"{topic}: {update}: {payload[:200]!r}")
            return
        self.received[update.pillow].append(update)
        self._since[update.pillow] = max(update.order, self._since.get(update.pillow, update.order))
        if not retained:
            # Hops are the last field that the poller writes.
            content, _, _ = payload.rpartition(b',"hops":')
            self.live += 1
            self.duplicates += content in self._contents
            self._contents.add(content)


class _Connection(asyncio.Protocol):
    def __init__(self, recorder: Recorder, topic: bytes) -> None:
        self.subscribed = asyncio.Event()
        self.ended = asyncio.Event()
        self._recorder = recorder
        self._topic = topic
        self._transport: asyncio.BaseTransport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        wanted = b"\x00\x01" + len(self._topic).to_bytes(2, "big") + self._topic + b"\x00"
        transport.write(_CONNECT + b"\x82" + bytes([len(wanted)]) + wanted)

    def data_received(self, data: bytes) -> None:
        live = self._recorder.live
        self._rest += data
        while (packet := _packet(self._rest)) is not None:
            first, body, self._rest = packet
            if first >> 4 == 9:
                assert body[2] == 0, "the broker refused the subscription"
                self.subscribed.set()
            elif first >> 4 == 3:
                length = int.from_bytes(body[:2], "big")
                self._recorder.record(
                    body[2 : 2 + length].decode(), body[2 + length :], bool(first & 1)
                )
        if self._recorder.live > live:
            self._recorder.most_unread = max(self._recorder.most_unread, len(data))

    def connection_lost(self, _error: Exception | None) -> None:
        self.ended.set()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _packet(data: bytes) -> tuple[int, bytes, bytes] | None:
    """Return the first byte, the body and the rest after a whole packet; None without one."""
    length = 0
    for index, byte in enumerate(data[1:5]):
        length |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            start = index + 2
            if len(data) < start + length:
                return None
            return data[0], data[start : start + length], data[start + length :]
    return None
