"""The reader, fed a stream in pieces of any size."""

import time
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.mqtt import reader
from runtime.mqtt.packets import MalformedPacket, Message, packet_bounds
from runtime.mqtt.reader import PacketHandlers, PacketReader
from tests.unit.runtime.mqtt.packets import Publish, message_of, packet, publishes

MAX_PACKET_BYTES = 1000


@dataclass
class Handled:
    """All that a reader handed over, in order, and the acknowledgements it asked for."""

    v5: bool = True
    max_packet_bytes: int = MAX_PACKET_BYTES
    events: list[object] = field(default_factory=list)
    acknowledged: list[list[int]] = field(default_factory=list)
    goes_on: bool = True

    def __post_init__(self) -> None:
        handlers = PacketHandlers(
            on_message=self.events.append,
            on_acknowledge=self.acknowledged.append,
            on_puback=lambda packet_id, reason: self.events.append((packet_id, reason)),
            on_other=self._other,
            on_oversized=lambda topic, size: self.events.append((topic, size)),
        )
        self.reader = PacketReader(handlers, v5=self.v5, max_packet_bytes=self.max_packet_bytes)

    def _other(self, one: bytes) -> bool:
        self.events.append(one)
        return self.goes_on

    def feed(self, stream: bytes, sizes: list[int]) -> None:
        """Feed the stream as TCP may bring it."""
        at = number = 0
        while at < len(stream):
            size = sizes[number % len(sizes)]
            self.reader.feed(stream[at : at + size])
            at, number = at + size, number + 1


def expected(one: Publish | bytes, *, v5: bool) -> object:
    """What the reader makes of a packet."""
    if isinstance(one, bytes):
        is_puback = one[0] == 0x40 and one[1] >= 2
        return (one[2] << 8 | one[3], one[4] if one[1] > 2 else 0) if is_puback else one
    return message_of(one, v5=v5)


others = st.builds(
    packet, st.sampled_from((0x20, 0x40, 0x90, 0xD0, 0xE0, 0x34, 0x36)), st.binary(max_size=120)
)
pieces = st.lists(st.integers(1, 400), min_size=1, max_size=10)
short_publishes = publishes.filter(lambda one: len(one.properties) < 128)


@given(st.lists(short_publishes | others, max_size=20), pieces)
def test_packets_are_handed_over_whole_and_in_order_whatever_the_pieces(
    given: list[Publish | bytes], sizes: list[int]
) -> None:
    """Messages and acknowledgements decoded; any other packet as it came."""
    handled = Handled()
    handled.feed(
        b"".join(one if isinstance(one, bytes) else one.encode(v5=True) for one in given), sizes
    )

    assert handled.events == [expected(one, v5=True) for one in given]
    assert [packet_id for ids in handled.acknowledged for packet_id in ids] == [
        one.packet_id for one in given if isinstance(one, Publish) and one.qos
    ]


def test_all_messages_of_a_piece_are_acknowledged_together() -> None:
    """One write for a hundred of them."""
    handled = Handled()
    handled.reader.feed(Publish("t", b"x").encode(v5=True) * 100)

    assert len(handled.events) == 100
    assert handled.acknowledged == [[7] * 100]


def test_nothing_is_handed_over_after_the_end_of_the_connection() -> None:
    """paho has found a packet to be wrong; what was received before is still acknowledged."""
    handled = Handled(goes_on=False)
    message = Publish("t").encode(v5=True)
    handled.reader.feed(message + packet(0xD0, b"") + message)

    assert handled.events == [Message("t", b"", retained=False), packet(0xD0, b"")]
    assert handled.acknowledged == [[7]]


def test_a_stream_that_is_not_mqtt_is_malformed() -> None:
    """Nothing can be read after a length that does not end."""
    handled = Handled()
    with pytest.raises(MalformedPacket, match="more than four"):
        handled.reader.feed(packet(0xD0, b"") + b"\x30\xff\xff\xff\xff\x01")

    assert handled.events == [packet(0xD0, b"")]


@given(
    st.lists(short_publishes | st.integers(MAX_PACKET_BYTES, 3 * MAX_PACKET_BYTES), max_size=8),
    pieces,
    st.booleans(),
)
def test_a_message_above_the_limit_is_discarded_and_acknowledged(
    given: list[Publish | int], sizes: list[int], v5: bool
) -> None:
    """It is reported with topic and size; the messages around it are handled."""
    handled = Handled(v5)
    all_publishes = [Publish("big", bytes(one)) if isinstance(one, int) else one for one in given]
    handled.feed(b"".join(one.encode(v5=v5) for one in all_publishes), sizes)

    assert handled.events == [
        ("big", len(one.encode(v5=v5))) if one.topic == "big" else expected(one, v5=v5)
        for one in all_publishes
    ]
    assert [packet_id for ids in handled.acknowledged for packet_id in ids] == [
        one.packet_id for one in all_publishes if one.qos
    ]


def test_a_packet_at_the_limit_is_accepted() -> None:
    """The limit counts the whole packet, as Maximum Packet Size does."""
    publish = Publish("t", bytes(MAX_PACKET_BYTES))
    size = len(publish.encode(v5=True))
    at, above = Handled(max_packet_bytes=size), Handled(max_packet_bytes=size - 1)
    at.reader.feed(publish.encode(v5=True))
    above.reader.feed(publish.encode(v5=True))

    assert at.events == [Message("t", publish.payload, retained=False)]
    assert above.events == [("t", size)]


def test_another_packet_above_the_limit_is_malformed() -> None:
    """There is no packet but a PUBLISH that may be large; the error has both sizes."""
    with pytest.raises(MalformedPacket, match=r"2003 bytes.*at most 1000"):
        Handled().reader.feed(packet(0x90, bytes(2000)))


def test_a_large_packet_in_many_pieces_is_looked_at_only_when_complete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once for its size, and once when it is there, however many pieces it has."""
    looks: list[int] = []

    def counted(data: bytes, at: int) -> tuple[int, int] | None:
        looks.append(at)
        return packet_bounds(data, at)

    monkeypatch.setattr(reader, "packet_bounds", counted)
    handled = Handled(max_packet_bytes=2_000_000)
    handled.feed(Publish("t", bytes(1_000_000)).encode(v5=True), [100])

    assert len(handled.events) == 1
    assert len(looks) == 3  # the last look finds the end of the stream


@pytest.mark.parametrize("limit", [1000, 100_000_000], ids=["discarded", "accepted"])
def test_the_cost_of_a_packet_is_linear_in_its_size(limit: int) -> None:
    """Sixteen times the size cost 256 times the CPU time when all was copied for each piece.

    The least of three measurements, and a bound between 16 and 256.
    """
    piece = bytes(256)

    def cost(number: int) -> float:
        handled = Handled(max_packet_bytes=limit)
        payload = bytes(number * len(piece))
        header = Publish("t", payload).encode(v5=True)[: -len(payload)]
        began = time.process_time()
        handled.reader.feed(header)
        for _ in range(number):
            handled.reader.feed(piece)
        spent = time.process_time() - began
        assert len(handled.events) == 1
        return spent

    small, large = (min(cost(number) for _ in range(3)) for number in (4_000, 64_000))
    assert large < 64 * small
