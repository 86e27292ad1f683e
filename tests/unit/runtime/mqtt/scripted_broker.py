"""A broker on loopback that does what real ones rarely do, for sessions under test."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from devstack import ports
from runtime.broker_url import BrokerAddress

CONNECT: Final = 0x10
PUBLISH: Final = 0x30
SUBSCRIBE: Final = 0x80
PINGREQ: Final = 0xC0
DISCONNECT: Final = 0xE0


@dataclass(eq=False)
class Client:
    """One connection: what it sent, and a way to answer."""

    writer: asyncio.StreamWriter
    packets: list[tuple[int, bytes]] = field(default_factory=list)
    is_closed: bool = False

    def sent(self, kind: int) -> list[bytes]:
        """The bodies of all packets of a kind."""
        return [body for head, body in self.packets if head & 0xF0 == kind]

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)

    def close(self) -> None:
        """Close the connection."""
        self.writer.close()


Script = Callable[[Client, int, bytes], bool]
"""Called with each packet; returns whether it has dealt with it."""


@dataclass(eq=False)
class ScriptedBroker:
    """Accepts everything and sends every publish back, unless its script says otherwise."""

    v5: bool = True
    connack: bytes = b"\x00\x00"
    """Flags and reason code; MQTT 5 adds properties."""

    connack_properties: bytes = b""
    script: Script = lambda _client, _head, _body: False
    clients: list[Client] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> BrokerAddress:
        """Where it listens."""
        return BrokerAddress(ports.HOST, self.port)

    @property
    def last(self) -> Client:
        """The newest connection."""
        return self.clients[-1]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["ScriptedBroker"]:
        """Listen on a free port."""
        server = await asyncio.start_server(self._serve, ports.HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for client in self.clients:
                client.writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Client(writer)
        self.clients.append(client)
        try:
            while True:
                head = (await reader.readexactly(1))[0]
                body = await reader.readexactly(await _remaining_length(reader))
                client.packets.append((head, body))
                if not self.script(client, head, body):
                    self._answer(client, head, body)
        except (asyncio.IncompleteReadError, ConnectionError):
            client.is_closed = True
            writer.close()

    def _answer(self, client: Client, head: int, body: bytes) -> None:
        kind = head & 0xF0
        if kind == CONNECT:
            rest = self.connack
            if self.v5:
                rest += bytes([len(self.connack_properties)]) + self.connack_properties
            client.send(b"\x20" + bytes([len(rest)]) + rest)
        elif kind == SUBSCRIBE:
            codes = b"\x01" * _count_filters(body, v5=self.v5)
            rest = body[:2] + (b"\x00" if self.v5 else b"") + codes
            client.send(b"\x90" + bytes([len(rest)]) + rest)
        elif kind == PUBLISH:
            topic_end = 2 + int.from_bytes(body[:2], "big")
            if head & 0x06:
                client.send(b"\x40\x02" + body[topic_end : topic_end + 2])
            # Back with the same QoS and packet id, and not retained.
            client.send(bytes([head & 0x36]) + _length(len(body)) + body)
        elif kind == PINGREQ:
            client.send(b"\xd0\x00")


async def _remaining_length(reader: asyncio.StreamReader) -> int:
    length = shift = 0
    while True:
        digit = (await reader.readexactly(1))[0]
        length |= (digit & 0x7F) << shift
        shift += 7
        if digit < 0x80:
            return length


def _length(value: int) -> bytes:
    digits = b""
    while True:
        value, digit = divmod(value, 128)
        digits += bytes([digit | (0x80 if value else 0)])
        if not value:
            return digits


def _count_filters(body: bytes, *, v5: bool) -> int:
    at = 3 + body[2] if v5 else 2
    count = 0
    while at < len(body):
        at += 2 + int.from_bytes(body[at : at + 2], "big") + 1
        count += 1
    return count
