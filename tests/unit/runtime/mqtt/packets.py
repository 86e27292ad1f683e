"""Packets as a broker sends them, written independently of the codec under test."""

from dataclasses import dataclass

from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from runtime.mqtt.packets import Message


def remaining_length(value: int) -> bytes:
    """A remaining length, as MQTT writes it."""
    out = b""
    while True:
        value, digit = divmod(value, 128)
        out += bytes([digit | (0x80 if value else 0)])
        if not value:
            return out


def packet(head: int, body: bytes) -> bytes:
    """A whole packet."""
    return bytes([head]) + remaining_length(len(body)) + body


@dataclass(frozen=True)
class Publish:
    """A PUBLISH, before it is bytes; `properties` are without their length."""

    topic: str
    payload: bytes = b""
    qos: int = 1
    retained: bool = False
    properties: bytes = b""
    packet_id: int = 7

    def body(self, *, v5: bool) -> bytes:
        """What follows its fixed header."""
        topic = self.topic.encode()
        return (
            len(topic).to_bytes(2, "big")
            + topic
            + (self.packet_id.to_bytes(2, "big") if self.qos else b"")
            + (remaining_length(len(self.properties)) + self.properties if v5 else b"")
            + self.payload
        )

    @property
    def head(self) -> int:
        """The first byte of its fixed header."""
        return 0x30 | self.qos << 1 | self.retained

    def encode(self, *, v5: bool) -> bytes:
        """The whole packet."""
        return packet(self.head, self.body(v5=v5))


def packed_properties(content_type: str, expiry_s: int, pairs: list[tuple[str, str]]) -> bytes:
    """Properties as paho packs them, without their length."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.PayloadFormatIndicator = 1
    properties.ContentType = content_type
    properties.MessageExpiryInterval = expiry_s
    for pair in pairs:
        properties.UserProperty = pair
    packed: bytes = properties.pack()  # type: ignore[no-untyped-call]
    return packed[1:] if len(packed) <= 128 else packed[2:]


def message_of(publish: Publish, *, v5: bool) -> Message:
    """What a subscriber receives; paho reads the expiry of a retained message."""
    expiry_s = None
    if v5 and publish.retained:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        size = len(publish.properties)
        length = bytes((size,)) if size < 128 else bytes((size % 128 | 128, size // 128))
        properties.unpack(length + publish.properties)  # type: ignore[no-untyped-call]
        expiry_s = getattr(properties, "MessageExpiryInterval", None)
    packed = publish.properties if v5 else b""
    return Message(publish.topic, publish.payload, publish.retained, expiry_s, packed)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
topics = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0+#"), min_size=1, max_size=100
)
properties = st.builds(
    packed_properties,
    texts,
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(texts, texts), max_size=2),
)
publishes = st.builds(
    Publish,
    topics,
    st.binary(max_size=200),
    st.integers(0, 1),
    st.booleans(),
    properties | st.just(b""),
    st.integers(1, 65_535),
)
