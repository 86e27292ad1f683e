"""Splits the bytes that a broker sends into packets.

PUBLISH and PUBACK are decoded by `packets`; every other packet, and every unusual PUBLISH, is
passed to paho unchanged. All messages of one piece are acknowledged together.
"""

from collections.abc import Callable
from dataclasses import dataclass

from runtime.mqtt.packets import (
    PUBACK,
    PUBLISH,
    MalformedPacket,
    Message,
    decode_puback,
    decode_publish,
    packet_bounds,
    peek_publish,
)


@dataclass(frozen=True, slots=True)
class PacketHandlers:
    """What the reader calls; all calls are made within `feed`, in the order of the packets."""

    on_message: Callable[[Message], None]
    on_acknowledge: Callable[[list[int]], None]
    """The packet ids of messages that are to be acknowledged."""

    on_puback: Callable[[int, int], None]
    """A publish's packet id and the broker's reason code."""

    on_other: Callable[[bytes], bool]
    """A packet for paho; returns whether the connection stays open."""

    on_oversized: Callable[[str, int], None]
    """The topic and the size in bytes of a message above the limit, which was discarded."""


@dataclass(slots=True)
class _Discarded:
    """A PUBLISH above the limit whose remaining bytes are dropped as they arrive."""

    topic: str
    packet_id: int
    size: int
    left: int


class PacketReader:
    """Keeps the incomplete packet at the end of a piece until its rest arrives."""

    def __init__(self, handlers: PacketHandlers, *, v5: bool, max_packet_bytes: int) -> None:
        self._handlers = handlers
        self._v5 = v5
        self._max_packet_bytes = max_packet_bytes
        self._rest = bytearray()
        self._needed = 0
        self._discarded: _Discarded | None = None
        self._acknowledge: list[int] = []

    def feed(self, data: bytes) -> None:
        """Handle the packets that `data` completes.

        Bytes of an incomplete packet are appended and looked at again only when it is complete, so
        the cost is linear in the size of a packet, however many pieces it arrives in.
        Raises MalformedPacket where the stream cannot be MQTT, or where a packet other than a
        PUBLISH is above the limit.
        """
        if self._discarded is not None:
            data = self._discard(self._discarded, data)
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return
            data = bytes(self._rest)
            self._rest.clear()
        try:
            end = self._split(data)
        finally:
            if self._acknowledge:
                ids, self._acknowledge = self._acknowledge, []
                self._handlers.on_acknowledge(ids)
        self._rest += memoryview(data)[end:]

    def _split(self, data: bytes) -> int:
        """Handle whole packets; return where the incomplete one begins."""
        at = 0
        while (bounds := packet_bounds(data, at)) is not None:
            begin, end = bounds
            if end - at > self._max_packet_bytes:
                refused_to = self._refuse(data, at, begin, end)
                if refused_to is None:
                    return at
                at = refused_to
                continue
            if end > len(data):
                self._needed = end - at
                return at
            if not self._handle(data, at, begin, end):
                return len(data)
            at = end
        self._needed = 0
        return at

    def _handle(self, data: bytes, at: int, begin: int, end: int) -> bool:
        """Handle one packet; return whether the connection stays open."""
        head = data[at]
        kind = head & 0xF0
        if kind == PUBLISH:
            decoded = decode_publish(head, data, begin, end, v5=self._v5)
            if decoded is not None:
                message, packet_id = decoded
                if packet_id:
                    self._acknowledge.append(packet_id)
                self._handlers.on_message(message)
                return True
        elif kind == PUBACK:
            confirmed = decode_puback(data, begin, end, v5=self._v5)
            if confirmed is not None:
                self._handlers.on_puback(*confirmed)
                return True
        return self._handlers.on_other(data[at:end])

    def _refuse(self, data: bytes, at: int, begin: int, end: int) -> int | None:
        """Discard the packet at `at`, which is above the limit, as far as it is there.

        Return where the next packet begins in `data`; None while the topic is not complete.
        """
        size = end - at
        if data[at] & 0xF0 != PUBLISH:
            raise MalformedPacket(
                f"the broker sent a packet of {size} bytes that is no message; at most "
                f"{self._max_packet_bytes} are accepted"
            )
        peeked = peek_publish(data[at], data, begin)
        if isinstance(peeked, int):
            self._needed = peeked - at
            return None
        topic, packet_id = peeked
        self._discarded = _Discarded(topic, packet_id, size, left=size)
        return len(data) - len(self._discard(self._discarded, data[at:]))

    def _discard(self, discarded: _Discarded, data: bytes) -> bytes:
        """Drop bytes of a packet above the limit; return what follows it."""
        rest = data[discarded.left :]
        discarded.left -= len(data) - len(rest)
        if discarded.left == 0:
            self._discarded = None
            self._handlers.on_oversized(discarded.topic, discarded.size)
            if discarded.packet_id:
                self._acknowledge.append(discarded.packet_id)
        return rest
