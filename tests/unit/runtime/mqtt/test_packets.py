"""The codec, held to paho: what it decodes paho decodes alike, what it encodes paho reads as meant.

paho takes part through its public interface, so that every version in range can be compared.
"""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runtime.mqtt.packets import (
    MalformedPacket,
    Message,
    decode_puback,
    decode_publish,
    encode_pubacks,
    encode_publish,
    packet_bounds,
    peek_publish,
    user_property,
)
from runtime.mqtt.properties import publish_properties
from tests.unit.runtime.mqtt.packets import (
    Publish,
    message_of,
    packed_properties,
    packet,
    publishes,
    remaining_length,
    texts,
    topics,
)
from tests.unit.runtime.mqtt.paho_client import PahoReader


def decode(head: int, body: bytes, *, v5: bool) -> tuple[Message, int] | None:
    """Decode a body that stands in the middle of other bytes, as it does in a stream."""
    return decode_publish(head, b"??" + body + b"??", 2, 2 + len(body), v5=v5)


@given(publishes, st.booleans())
@example(Publish("t", qos=0), False)
@example(Publish("t", properties=b"\x01\x01" * 63 + b"\x01"), True)
async def test_a_well_formed_publish_is_decoded_or_left_to_paho_never_misread(
    publish: Publish, v5: bool
) -> None:
    """Only one with more than 127 bytes of properties is left to paho."""
    ours = decode(publish.head, publish.body(v5=v5), v5=v5)

    if v5 and len(publish.properties) > 127:
        assert ours is None
        return
    assert ours == (
        message_of(publish, v5=v5),
        publish.packet_id if publish.qos else 0,
    )


@given(st.integers(0x30, 0x3F), publishes.map(lambda one: one.body(v5=True)), st.booleans())
@example(0x32, b"\x00\x01t\x00\x07\x00payload", True)
async def test_whatever_codec_and_paho_both_decode_they_decode_alike(
    head: int, body: bytes, v5: bool
) -> None:
    """Topic, payload, retained and packet id; for every first byte a PUBLISH can have."""
    ours = decode(head, body, v5=v5)
    paho = PahoReader(v5)
    if not paho.read(packet(head, body)) or ours is None:
        return

    (theirs,) = paho.messages
    message, packet_id = ours
    assert (message.topic, message.payload) == (theirs.topic, bytes(theirs.payload))
    assert (message.retained, packet_id) == (bool(theirs.retain), theirs.mid)


@given(st.integers(0x30, 0x3F), st.binary(max_size=60), st.booleans())
async def test_any_bytes_are_decoded_as_paho_does_or_not_at_all(
    head: int, body: bytes, v5: bool
) -> None:
    """Only properties are not looked into: a broker that breaks them is not noticed."""
    ours = decode(head, body, v5=v5)
    if ours is None:
        return
    message, packet_id = ours
    paho = PahoReader(v5)
    if paho.read(packet(head, body)):
        (theirs,) = paho.messages
        assert (message.topic, message.payload) == (theirs.topic, bytes(theirs.payload))
        assert (message.retained, packet_id) == (bool(theirs.retain), theirs.mid)
    else:
        assert v5, "without properties there is nothing that only paho looks at"


sizes = st.sampled_from([0, 100, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152]).flatmap(
    lambda limit: st.integers(max(0, limit - 100), limit)
)
"""Around the lengths at which the remaining length becomes one byte longer."""


@given(
    topics,
    st.binary(max_size=100) | sizes.map(bytes),
    st.integers(1, 65_535),
    st.booleans(),
    st.booleans(),
)
async def test_an_encoded_publish_is_read_by_paho_as_it_was_meant(
    topic: str, payload: bytes, packet_id: int, retain: bool, v5: bool
) -> None:
    """Every field, and its length to the byte."""
    properties = publish_properties("application/json", 604_800, (("a", "b"),)) if v5 else b""
    written = encode_publish(topic, payload, packet_id, retain=retain, properties=properties)
    bounds = packet_bounds(written, 0)
    paho = PahoReader(v5)

    assert bounds is not None
    assert bounds[1] == len(written)
    assert paho.read(written)
    (theirs,) = paho.messages
    assert (theirs.topic, bytes(theirs.payload), theirs.mid) == (topic, payload, packet_id)
    assert (theirs.qos, bool(theirs.retain), bool(theirs.dup)) == (1, retain, False)
    if v5:
        assert theirs.properties.ContentType == "application/json"
        assert theirs.properties.MessageExpiryInterval == 604_800
    assert decode_publish(written[0], written, *bounds, v5=v5) == (
        Message(topic, payload, retain, 604_800 if v5 and retain else None, properties[1:]),
        packet_id,
    )


@given(st.lists(st.tuples(texts, texts), max_size=3), texts)
def test_a_user_property_is_found_by_its_name(pairs: list[tuple[str, str]], name: str) -> None:
    """The first of that name, whatever properties are before it."""
    properties = packed_properties("text/plain", 7, [*pairs, ("by", "☁")])

    assert user_property(properties, "by") == dict(reversed([*pairs, ("by", "☁")]))["by"]
    assert user_property(properties, name) == dict(reversed([*pairs, ("by", "☁")])).get(name)


@given(st.binary(max_size=60))
def test_broken_properties_have_no_user_property_and_raise_nothing(properties: bytes) -> None:
    """They come from whatever the broker sent."""
    assert user_property(properties, "no such name") is None


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (0x34, b"\x00\x01t\x00\x07\x00"),
        (0x36, b"\x00\x01t\x00\x07\x00"),
        (0x32, b"\x00\x01t\x00\x00\x00"),
        (0x32, b"\x00\x00\x00\x07\x00"),
        (0x32, b"\x00\x01\xff\x00\x07\x00"),
        (0x32, b"\x00\x01t\x00\x07\x80\x01" + bytes(128)),
        (0x32, b"\x00\x01t\x00\x07\x05"),
        (0x32, b"\x00\x01t\x00\x07"),
        (0x32, b"\x00\x01t\x00"),
        (0x32, b"\x00\x09t"),
        (0x32, b"\x00"),
    ],
    ids=[
        "QoS 2", "QoS 3", "packet id 0", "topic alias", "topic that is not UTF-8",
        "more than 127 bytes of properties", "short properties", "no properties",
        "short packet id", "short topic", "one byte",
    ],
)  # fmt: skip
def test_an_unusual_or_broken_publish_is_left_to_paho(head: int, body: bytes) -> None:
    """paho handles it, or ends the connection."""
    assert decode(head, body, v5=True) is None


@pytest.mark.parametrize("topic", ["", "a/+", "#", "t" * 65_536])
def test_a_topic_that_nothing_can_be_published_to_is_refused(topic: str) -> None:
    """As paho refuses it."""
    with pytest.raises(ValueError, match="publish"):
        encode_publish(topic, b"", 1, retain=False, properties=b"")


def test_a_publish_longer_than_mqtt_allows_is_refused() -> None:
    """At 256 MiB, with its size and the limit."""
    with pytest.raises(ValueError, match="268435455"):
        encode_publish("t", bytes(268_435_451), 1, retain=False, properties=b"")


@given(st.integers(0, 268_435_455), st.integers(0, 3))
def test_the_end_of_a_packet_is_known_once_its_length_is_there(size: int, cut: int) -> None:
    """Also when its body is not."""
    header = b"\x30" + remaining_length(size)

    assert packet_bounds(b"??" + header, 2) == (2 + len(header), 2 + len(header) + size)
    if cut and cut < len(header):
        assert packet_bounds(header[:-cut], 0) is None


def test_a_length_of_more_than_four_bytes_is_malformed() -> None:
    """MQTT 5 §1.5.5."""
    with pytest.raises(MalformedPacket, match="more than four"):
        packet_bounds(b"\x30\xff\xff\xff\xff\x01", 0)


@pytest.mark.parametrize(
    ("body", "v5", "expected"),
    [
        (b"\x01\x02", True, (258, 0)),
        (b"\x01\x02", False, (258, 0)),
        (b"\x01\x02\x87", True, (258, 0x87)),
        (b"\x01\x02\x87\x00", True, (258, 0x87)),
        (b"\x01\x02\x87", False, None),
        (b"\x01", True, None),
        (b"", False, None),
    ],
)
def test_a_puback_has_a_packet_id_and_in_mqtt_5_a_reason(
    body: bytes, v5: bool, expected: tuple[int, int] | None
) -> None:
    """Any other is left to paho, which ends the connection."""
    assert decode_puback(b"?" + body, 1, 1 + len(body), v5=v5) == expected


@given(st.lists(st.integers(1, 65_535), max_size=5))
def test_pubacks_are_four_bytes_each(packet_ids: list[int]) -> None:
    """With success, which needs no reason code."""
    written = encode_pubacks(packet_ids)

    assert len(written) == 4 * len(packet_ids)
    assert [
        decode_puback(written, at + 2, at + 4, v5=False) for at in range(0, len(written), 4)
    ] == [(one, 0) for one in packet_ids]


@given(publishes, st.booleans(), st.data())
def test_peeking_needs_no_more_than_topic_and_packet_id(
    publish: Publish, v5: bool, data: st.DataObject
) -> None:
    """With less, it says how much it needs, and never more than that."""
    whole = publish.encode(v5=v5)
    bounds = packet_bounds(whole, 0)
    assert bounds is not None
    begin = bounds[0]
    needed = begin + 2 + len(publish.topic.encode()) + (2 if publish.qos else 0)
    size = data.draw(st.integers(begin, len(whole)))
    peeked = peek_publish(publish.head, whole[:size], begin)

    if size >= needed:
        assert peeked == (publish.topic, publish.packet_id if publish.qos else 0)
    else:
        assert isinstance(peeked, int)
        assert size < peeked <= needed
