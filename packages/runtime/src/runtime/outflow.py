"""What goes to the broker often, written in large pieces: publishes.

paho makes a dozen objects of a publish, packs its properties anew, and asks the system to send each
by itself. A PUBLISH is simple to write (MQTT 5 §3.3, MQTT 3.1.1 §3.3), and all of one turn of the
event loop leave together; every other packet is paho's.
"""

import asyncio
from typing import Any, Final

_PUBLISH_QOS_1: Final = 0x32
_RETAIN: Final = 0x01
_NOT_A_PUBLISH: Final = 0x40
"""What paho is told that the bytes are: of a publish it would expect to have made it itself."""


def encode_publish(
    topic: str, payload: bytes, mid: int, *, retain: bool, properties: bytes
) -> bytes:
    """Write a PUBLISH with QoS 1; `properties` are packed, and empty in MQTT 3.1.1."""
    name = topic.encode()
    length = 4 + len(name) + len(properties) + len(payload)
    return b"%c%b%b%b%b%b%b" % (
        _PUBLISH_QOS_1 | (_RETAIN if retain else 0),
        _variable_length(length),
        len(name).to_bytes(2, "big"),
        name,
        mid.to_bytes(2, "big"),
        properties,
        payload,
    )


class Outflow:
    """Collects publishes and gives them to a paho client once a turn."""

    def __init__(self, paho: Any) -> None:
        self._paho = paho
        self._packets: list[bytes] = []

    def send(
        self, topic: str, payload: bytes, *, retain: bool, properties: bytes, taken: Any
    ) -> int:
        """Send with QoS 1; returns the packet's id, none of those in `taken`."""
        mid: int = self._paho._mid_generate()
        while mid in taken:
            mid = self._paho._mid_generate()
        if not self._packets:
            asyncio.get_running_loop().call_soon(self._flush)
        self._packets.append(
            encode_publish(topic, payload, mid, retain=retain, properties=properties)
        )
        return mid

    def _flush(self) -> None:
        packets, self._packets = self._packets, []
        if self._paho.socket() is not None:  # else who waits is told that the connection is lost
            self._paho._packet_queue(_NOT_A_PUBLISH, b"".join(packets), 0, 1)


def _variable_length(value: int) -> bytes:
    if value < 128:
        return bytes((value,))
    digits = bytearray()
    while value > 127:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)
