"""PUBLISH and PUBACK as bytes: a pure codec for the two packets that are frequent.

Sources: MQTT 5 §2.1 (fixed header), §3.3 (PUBLISH), §3.4 (PUBACK), and the same of MQTT 3.1.1.
A packet that a decoder here does not return is decoded by paho.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

PUBLISH: Final = 0x30
PUBACK: Final = 0x40

MAX_TOPIC_BYTES: Final = 65_535
MAX_REMAINING_LENGTH: Final = 268_435_455

_QOS_1: Final = 0x02
_RETAIN: Final = 0x01
_MAX_LENGTH_BYTES: Final = 4
_SUCCESS: Final = 0

# Properties of a PUBLISH: the expiry, those of a fixed size, and those of so many strings.
_EXPIRY: Final = 0x02
_FIXED_SIZES: Final = {0x01: 1, 0x23: 2}
_STRINGS: Final = {0x03: 1, 0x08: 1, 0x09: 1, 0x26: 2}
_USER_PROPERTY: Final = 0x26


class Message(NamedTuple):
    """A message received. `retained`: the broker had stored it before the subscription.

    `expiry_s` is the message expiry that is left of a retained one; None where the broker did not
    send any. `properties` are those of MQTT 5, packed, without their length: see `user_property`.
    """

    topic: str
    payload: bytes
    retained: bool
    expiry_s: int | None = None
    properties: bytes = b""


class MalformedPacket(ValueError):
    """No packet can begin like this."""


def packet_bounds(data: bytes, start: int) -> tuple[int, int] | None:
    """Return where the body of the packet at `start` begins and ends, in bytes of `data`.

    The end may lie beyond `data`. None: the fixed header is not complete.
    Raises MalformedPacket if the remaining length has more than four bytes.
    """
    length = 0
    for number in range(_MAX_LENGTH_BYTES):
        at = start + 1 + number
        if at >= len(data):
            return None
        length |= (data[at] & 0x7F) << (7 * number)
        if data[at] < 0x80:
            return at + 1, at + 1 + length
    raise MalformedPacket("a packet's remaining length has more than four bytes")


def decode_publish(
    head: int, data: bytes, begin: int, end: int, *, v5: bool
) -> tuple[Message, int] | None:
    """Decode a PUBLISH with QoS 0 or 1: the message and its packet id (0 for QoS 0).

    `head` is the first byte of the fixed header; the body is `data[begin:end]`.
    None: paho decodes it, or finds what is wrong with it.
    Properties are kept packed, and only the expiry of a retained message is read.
    A topic alias is left to paho (its topic is empty).
    """
    qos = (head >> 1) & 3
    if end - begin < 2 or qos > 1:
        return None
    end_of_topic = at = begin + 2 + (data[begin] << 8 | data[begin + 1])
    packet_id, expiry_s, properties = 0, None, b""
    if qos:
        at += 2
        if at > end:
            return None
        packet_id = data[at - 2] << 8 | data[at - 1]
        if packet_id == 0:
            return None
    if v5:
        if at >= end or data[at] >= 0x80:
            return None  # more than 127 bytes of properties
        begin_of_properties = at + 1
        at = begin_of_properties + data[at]
        properties = data[begin_of_properties:at]
        if head & _RETAIN:
            expiry_s = _message_expiry(properties)
    if at > end or end_of_topic == begin + 2:
        return None
    try:
        topic = data[begin + 2 : end_of_topic].decode()
    except UnicodeDecodeError:
        return None
    message = Message(topic, data[at:end], bool(head & _RETAIN), expiry_s, properties)
    return message, packet_id


def user_property(properties: bytes, name: str) -> str | None:
    """Return the first user property of a name (MQTT 5 §3.3.2.3.7); None if there is none.

    `properties` are those of a Message.
    """
    wanted = name.encode()
    for kind, value in _each_property(properties):
        if kind == _USER_PROPERTY:
            size = int.from_bytes(value[:2], "big")
            if value[2 : 2 + size] == wanted:
                return value[4 + size :].decode(errors="replace")
    return None


def _message_expiry(properties: bytes) -> int | None:
    """Return the message expiry of a PUBLISH in seconds; None if it has none (MQTT 5 §3.3.2.3)."""
    for kind, value in _each_property(properties):
        if kind == _EXPIRY:
            return int.from_bytes(value, "big") if len(value) == 4 else None
    return None


def _each_property(properties: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the properties of a PUBLISH: identifier and packed value; ends at an unknown one."""
    at = 0
    while at < len(properties):
        kind = properties[at]
        begin = at = at + 1
        if kind == _EXPIRY:
            at += 4
        elif kind in _FIXED_SIZES:
            at += _FIXED_SIZES[kind]
        elif kind in _STRINGS:
            for _ in range(_STRINGS[kind]):
                at += 2 + int.from_bytes(properties[at : at + 2], "big")
        else:
            return
        yield kind, properties[begin:at]


def decode_puback(data: bytes, begin: int, end: int, *, v5: bool) -> tuple[int, int] | None:
    """Decode a PUBACK's body `data[begin:end]`: packet id and reason code (0 is success).

    None: paho decodes it. Properties are ignored, because only their reason string matters to
    people, and the reason code has a name.
    """
    size = end - begin
    if size != 2 and not (v5 and size > 2):
        return None
    reason = data[begin + 2] if size > 2 else _SUCCESS
    return data[begin] << 8 | data[begin + 1], reason


def peek_publish(head: int, data: bytes, begin: int) -> tuple[str, int] | int:
    """Read the topic and the packet id of a PUBLISH whose body is not complete.

    They lie within the first 65,539 bytes of the body, which begins at `begin`.
    If `data` ends before them: return the size of `data` that is needed to read them.
    """
    if len(data) < begin + 2:
        return begin + 2
    end_of_topic = begin + 2 + (data[begin] << 8 | data[begin + 1])
    end_of_id = end_of_topic + (2 if (head >> 1) & 3 else 0)
    if len(data) < end_of_id:
        return end_of_id
    topic = data[begin + 2 : end_of_topic].decode(errors="replace")
    return topic, int.from_bytes(data[end_of_topic:end_of_id], "big")


def encode_publish(
    topic: str, payload: bytes, packet_id: int, *, retain: bool, properties: bytes
) -> bytes:
    """Encode a PUBLISH with QoS 1. `properties` are packed, with their length; MQTT 3.1.1: empty.

    Raises ValueError if the topic is empty, has a wildcard or is longer than 65,535 bytes, or if
    the packet is longer than MQTT allows.
    """
    name = topic.encode()
    length = 4 + len(name) + len(properties) + len(payload)
    if not name or "+" in topic or "#" in topic:
        raise ValueError(f"{topic!r} is empty or has a wildcard; nothing can be published there")
    if len(name) > MAX_TOPIC_BYTES or length > MAX_REMAINING_LENGTH:
        raise ValueError(
            f"a publish of {length} bytes to a topic of {len(name)} bytes; MQTT allows "
            f"{MAX_REMAINING_LENGTH} and {MAX_TOPIC_BYTES}"
        )
    return b"%c%b%b%b%b%b%b" % (
        PUBLISH | _QOS_1 | (_RETAIN if retain else 0),
        _encode_length(length),
        len(name).to_bytes(2, "big"),
        name,
        packet_id.to_bytes(2, "big"),
        properties,
        payload,
    )


def encode_pubacks(packet_ids: list[int]) -> bytes:
    """Encode an acknowledgement, with success, of each of `packet_ids`."""
    return b"".join(b"\x40\x02%b" % packet_id.to_bytes(2, "big") for packet_id in packet_ids)


def _encode_length(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)
