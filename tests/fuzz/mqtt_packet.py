"""MQTT packets: a stream is split alike however it is cut, and what is ours in it is decoded."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from contract.topics import PillowTopic, Topics
from runtime.mqtt.packets import MalformedPacket, Message
from runtime.mqtt.reader import PacketHandlers, PacketReader
from runtime.mqtt.retained_set import RetainedSet
from tests.fuzz.byte_source import ByteSource, cut

TOPICS = Topics("pillow")
MAX_PACKET_BYTES = 300
MAX_BYTES = 2048


@dataclass
class _Stream:
    """What a reader made of a stream."""

    events: list[object] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    has_failed: bool = False


def check(data: bytes) -> None:
    """Read a stream whole and in pieces; the first two bytes are the version and their size."""
    source = ByteSource(data)
    v5, size = source.choice((True, False)), source.byte() % 64 + 1
    stream = source.rest()
    whole, in_pieces = _read([stream], v5=v5), _read(cut(stream, size), v5=v5)
    if whole.has_failed:
        # A stream that ends the connection was handled up to there, in whatever pieces it came.
        assert in_pieces.has_failed
    assert in_pieces.events == whole.events, "the pieces of a stream change its meaning"
    assert in_pieces.acknowledged == whole.acknowledged
    for event in whole.events:
        if isinstance(event, Message):
            _check_message(event)


def seeds() -> Iterator[bytes]:
    """Yield publishes of both versions, a packet for paho, one too large and one without an end."""
    topic, payload = b"\x00\x14pillow/cloud-1/state", b'{"pillow":"cloud-1"}'
    body = topic + b"\x00\x07" + b"\x05\x02\x00\x00\x00\x3c" + payload
    yield b"\x00\x07" + bytes((0x33, len(body))) + body + b"\x40\x02\x00\x07"
    body = topic + b"\x00\x07" + payload
    yield b"\x01\x3f" + bytes((0x32, len(body))) + body + b"\xd0\x00"
    yield b"\x00\x05" + bytes((0x30, 0xF4, 0x03)) + topic + b"\x00" + b"x" * 480
    yield b"\x00\x01\x30\xff\xff\xff\xff\x01"
    body = b"\x00\x26pillow/bridge/poller/instance-01/saved" + b"\x00token probe"
    yield b"\x00\x10" + bytes((0x31, len(body))) + body
    yield b"\x00\x02\x20\x03\x00\x00\x00\xe0\x02\x8b\x00"


def _read(pieces: list[bytes], *, v5: bool) -> _Stream:
    stream = _Stream()

    def on_other(packet: bytes) -> bool:
        stream.events.append(packet)
        return True

    handlers = PacketHandlers(
        on_message=stream.events.append,
        on_acknowledge=stream.acknowledged.extend,
        on_puback=lambda packet_id, reason: stream.events.append((packet_id, reason)),
        on_other=on_other,
        on_oversized=lambda topic, size: stream.events.append((topic, size)),
    )
    reader = PacketReader(handlers, v5=v5, max_packet_bytes=MAX_PACKET_BYTES)
    try:
        for piece in pieces:
            reader.feed(piece)
    except MalformedPacket:
        stream.has_failed = True
    return stream


def _check_message(message: Message) -> None:
    parsed = TOPICS.parse(message.topic)
    if parsed is not None:
        assert isinstance(parsed, PillowTopic)
        assert getattr(TOPICS, parsed.kind)(parsed.pillow) == message.topic
    TOPICS.parse_share(message.topic)
    TOPICS.is_saved(message.topic)
    marks = RetainedSet("token")
    assert marks.receive_mark(message.payload) == (
        message.payload in (marks.probe, marks.direct, marks.queued)
    ), "another message is taken for a session's mark"
