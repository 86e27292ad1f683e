"""A recorder of what the broker publishes, which misses nothing that the broker confirmed.

It is connected to the broker itself, not through a proxy, and subscribes with QoS 0. That is no
weaker than QoS 1 here, for these reasons:

- mosquitto hands a message to its subscribers before it acknowledges it to who published it. So
  whatever a poller was told is confirmed had been written to the recorder's socket before, and
  what was written to a socket the kernel delivers, also when the writer is killed a moment later.
- That needs room in the socket: what does not fit stays in the broker's memory and dies with it.
  `fullest` is the most that was waiting to be read with news in it; `check` holds it below what
  one read can take, which is a part of the room.
- It needs the recorder to be there: the pollers reach the broker through a proxy that lets nobody
  in before the recorder has subscribed (see `mqtt_proxy`).
- The recorder writes nothing after it has subscribed, with QoS 1 it would acknowledge: a write to
  a broker that has just died ends the connection with what is still unread in it.

What is retained is told on subscribing, and is evidence too: somebody has published it.
"""

import asyncio
import socket
from collections import defaultdict
from typing import Final

from contract.topics import Topics
from contract.updates import Update, decode_state
from devstack import ports

ROOM: Final = 2**21
"""How many bytes the socket is to have room for; the kernel may give less."""

READ: Final = 2**18
"""How many bytes asyncio reads at once. Who always reads less leaves none waiting."""

_CONNECT: Final = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x02rc"
"""MQTT 3.1.1, a clean session, no keep-alive: nothing has to be written later."""


class Recorder:
    """Everything heard under a prefix, over all connections."""

    def __init__(self, port: int, prefix: str) -> None:
        self.heard: dict[str, list[Update]] = defaultdict(list)
        self.live = 0
        """How many states were published, as opposed to told because they are retained."""
        self.repeated = 0
        """How many of them had been published before, hops apart."""
        self.strange: list[str] = []
        self.fullest = 0
        self.room = 0
        self._port = port
        self._topics = Topics(prefix)
        self._since: dict[str, tuple[int, int]] = {}
        self._told: set[bytes] = set()
        self._connection: _Connection | None = None

    async def connect(self) -> None:
        """Connect and subscribe; from then on nothing is missed until the broker is killed."""
        self._since.clear()
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
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
        """Wait until a connection whose broker was killed has been read to its end."""
        assert self._connection is not None
        async with asyncio.timeout(10):
            await self._connection.ended.wait()

    def close(self) -> None:
        """Leave."""
        if self._connection is not None:
            self._connection.leave()

    def newest(self) -> dict[str, tuple[int, int]]:
        """Return the order of each pillow's newest state ever heard."""
        return {pillow: max(one.order for one in said) for pillow, said in self.heard.items()}

    def behind(self, newest: dict[str, tuple[int, int]]) -> list[str]:
        """Return the pillows of which this connection has heard nothing as new as that."""
        return [
            pillow for pillow, order in newest.items() if self._since.get(pillow, (-1, -1)) < order
        ]

    def check(self) -> None:
        """Hold that nothing can have been missed, and that all that was heard can be read."""
        assert self.strange == []
        assert self.fullest < READ < self.room, (
            f"{self.fullest} bytes waited in a socket with room for {self.room}: the recorder may "
            "have missed what a killed broker had not written yet"
        )

    def take(self, topic: str, payload: bytes, retained: bool) -> None:
        """Write down a message."""
        about = self._topics.parse(topic)
        update = decode_state(about.pillow, payload) if about else "no state's topic"
        if isinstance(update, str):
            self.strange.append(f"{topic}: {update}: {payload[:200]!r}")
            return
        self.heard[update.pillow].append(update)
        self._since[update.pillow] = max(update.order, self._since.get(update.pillow, update.order))
        if not retained:
            # Hops are the last field that the poller writes.
            told, _, _ = payload.rpartition(b',"hops":')
            self.live += 1
            self.repeated += told in self._told
            self._told.add(told)


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
                self._recorder.take(
                    body[2 : 2 + length].decode(), body[2 + length :], bool(first & 1)
                )
        if self._recorder.live > live:
            self._recorder.fullest = max(self._recorder.fullest, len(data))

    def connection_lost(self, _error: Exception | None) -> None:
        self.ended.set()

    def leave(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _packet(data: bytes) -> tuple[int, bytes, bytes] | None:
    """Split off a whole packet: its first byte, its body, the rest; None when there is none."""
    length = 0
    for index, byte in enumerate(data[1:5]):
        length |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            start = index + 2
            if len(data) < start + length:
                return None
            return data[0], data[start : start + length], data[start + length :]
    return None
