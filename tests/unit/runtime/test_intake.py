"""The intake, between a client that reads as paho does and a socket that gives what it likes."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt import _packet
from paho.mqtt.client import MQTTv5, MQTTv311

from runtime.intake import Intake, packet_end, read_publish

Heard = tuple[str, bytes, bool]


def length(value: int) -> bytes:
    """A remaining length, as MQTT writes it."""
    out = b""
    while True:
        value, digit = divmod(value, 128)
        out += bytes([digit | (0x80 if value else 0)])
        if not value:
            return out


def packet(head: int, body: bytes) -> bytes:
    """A whole packet."""
    return bytes([head]) + length(len(body)) + body


@dataclass(frozen=True)
class Message:
    """A PUBLISH, before it is bytes."""

    topic: str
    payload: bytes
    qos: int
    retained: bool
    properties: bytes = b""
    mid: int = 7

    def body(self, *, v5: bool) -> bytes:
        """What follows its fixed header."""
        topic = self.topic.encode()
        return (
            len(topic).to_bytes(2, "big")
            + topic
            + (self.mid.to_bytes(2, "big") if self.qos else b"")
            + (length(len(self.properties)) + self.properties if v5 else b"")
            + self.payload
        )

    @property
    def head(self) -> int:
        """The first byte of its fixed header."""
        return 0x30 | self.qos << 1 | self.retained


@dataclass
class Paho:
    """Takes packets at each reading, as paho does, and says what it took."""

    given: list[bytes]
    taken: list[bytes] = field(default_factory=list)
    queued: list[bytes] = field(default_factory=list)
    asked: int = 0
    ended: bool = False

    def _sock_recv(self, size: int) -> bytes:
        self.asked += 1
        if not self.given:
            raise BlockingIOError
        piece = self.given.pop(0)
        if len(piece) > size:
            self.given.insert(0, piece[size:])
        return piece[:size]

    def _packet_queue(self, _command: int, data: bytes, _mid: int, _qos: int) -> int:
        self.queued.append(data)
        return 0

    def loop_read(self) -> int:
        """Take as many packets as paho would: it reads on while it waits for answers."""
        for _ in range(3):
            try:
                outcome = self._read()
            except BlockingIOError:
                return 0
            if outcome:
                return outcome
        return 0

    def _read(self) -> int:
        head = self._sock_recv(1)
        if not head:
            self.ended = True
            return 7
        sizes = b""
        while not sizes or sizes[-1] & 0x80:
            sizes += self._sock_recv(1)
            if len(sizes) > 4:
                return 2
        left = sum((digit & 0x7F) << 7 * place for place, digit in enumerate(sizes))
        body = b""
        while len(body) < left:
            more = self._sock_recv(left - len(body))
            assert more, "paho would take this for the end of the connection"
            body += more
        self.taken.append(head + sizes + body)
        return 0


messages = st.builds(
    Message,
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
    st.binary(max_size=200),
    st.integers(0, 1),
    st.booleans(),
    st.binary(max_size=10),
    st.integers(1, 65_535),
)
others = st.builds(
    packet, st.sampled_from((0x20, 0x40, 0x90, 0xD0, 0xE0, 0x34, 0x36)), st.binary(max_size=200)
)


def is_acknowledgement(one: bytes) -> bool:
    """Whether it acknowledges a publish, and says which."""
    return one[0] == 0x40 and one[1] >= 2


def pieces_of(stream: bytes, sizes: list[int]) -> list[bytes]:
    """The stream as TCP may bring it."""
    pieces: list[bytes] = []
    at = 0
    while at < len(stream):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(stream[at : at + size])
        at += size
    return pieces


@given(
    st.lists(st.one_of(messages, others), max_size=20),
    st.lists(st.integers(1, 400), min_size=1, max_size=10),
    st.booleans(),
)
def test_everything_is_taken_in_order_however_it_comes(
    given: list[Message | bytes], sizes: list[int], v5: bool
) -> None:
    """Messages and acknowledgements here; all else by paho, whole."""
    acknowledged: list[tuple[int, int]] = []
    heard: list[Heard] = []
    taken_before: list[int] = []
    wire = [packet(one.head, one.body(v5=v5)) if isinstance(one, Message) else one for one in given]
    paho = Paho(pieces_of(b"".join(wire), sizes))

    def hear(topic: str, payload: bytes, retained: bool) -> None:
        heard.append((topic, payload, retained))
        taken_before.append(len(paho.taken))

    intake = Intake(
        paho, hear, lambda mid, reason: acknowledged.append((mid, reason)), properties=v5
    )
    while paho.given:
        assert intake.read() == 0

    expected = [one for one in given if isinstance(one, Message)]
    assert heard == [(one.topic, one.payload, one.retained) for one in expected]
    left = [one for one in given if isinstance(one, bytes) and not is_acknowledgement(one)]
    assert paho.taken == left
    bodies = [
        one[packet_end(one, 0)[0] :]  # type: ignore[index]
        for one in given
        if isinstance(one, bytes) and is_acknowledgement(one)
    ]
    assert acknowledged == [
        (int.from_bytes(body[:2], "big"), body[2] if len(body) > 2 else 0) for body in bodies
    ]
    assert b"".join(paho.queued) == b"".join(
        b"\x40\x02" + one.mid.to_bytes(2, "big") for one in expected if one.qos
    )
    assert taken_before == [
        sum(other in left for other in given[:number] if isinstance(other, bytes))
        for number, one in enumerate(given)
        if isinstance(one, Message)
    ]


@given(messages, st.booleans())
def test_a_message_is_read_as_paho_reads_it(message: Message, v5: bool) -> None:
    """Where paho finds its properties right."""
    body = message.body(v5=v5)
    try:
        theirs = _packet.decode_publish(message.head, bytearray(body), MQTTv5 if v5 else MQTTv311)
    except Exception:
        return
    ours = read_publish(message.head, body, properties=v5)

    assert ours is not None
    assert (ours.topic.encode(), ours.payload, ours.retained) == (
        bytes(theirs.topic),
        bytes(theirs.payload),
        bool(theirs.retain),
    )
    assert ours.mid == (theirs.mid if message.qos else 0)


@given(st.integers(0x30, 0x3F), st.binary(max_size=40), st.booleans())
def test_any_bytes_are_a_message_or_left_to_paho(head: int, body: bytes, v5: bool) -> None:
    """Never an error, and never more than there is."""
    message = read_publish(head, body, properties=v5)

    if message is not None:
        assert body.endswith(message.payload)
        assert message.topic


@given(st.integers(0, 268_435_455), st.integers(0, 3))
def test_a_packets_end_is_found(size: int, cut: int) -> None:
    """As soon as its length is there."""
    head = b"\x30" + length(size)

    assert packet_end(b"??" + head, 2) == (2 + len(head), 2 + len(head) + size)
    if cut and cut < len(head):
        assert packet_end(head[:-cut], 0) is None


def test_a_length_without_an_end_is_left_to_paho() -> None:
    """Who knows what to do about it."""
    with pytest.raises(ValueError, match="more than four"):
        packet_end(b"\x30\xff\xff\xff\xff\x01", 0)
    paho = Paho([packet(0xD0, b"") + b"\x30\xff\xff\xff\xff\x01"])
    intake = Intake(paho, lambda *_: None, lambda *_: None, properties=True)

    assert intake.read() == 2
    assert paho.taken == [packet(0xD0, b"")]


def test_a_piece_is_asked_for_once_and_acknowledged_once() -> None:
    """Not four times a message."""
    heard: list[Heard] = []
    one = Message("t", b"x", 1, False)
    paho = Paho([packet(one.head, one.body(v5=True)) * 100])
    intake = Intake(paho, lambda *got: heard.append(got), lambda *_: None, properties=True)

    assert intake.read() == 0
    assert len(heard) == 100
    assert (paho.asked, len(paho.queued)) == (1, 1)
    assert intake.read() == 0


def test_the_end_is_passed_on() -> None:
    """paho knows what follows from it."""
    paho = Paho([b""])
    intake = Intake(paho, lambda *_: None, lambda *_: None, properties=True)

    assert intake.read() == 7
    assert paho.ended


def test_a_connection_that_breaks_is_an_end() -> None:
    """However it broke."""

    class Broken(Paho):
        def _sock_recv(self, size: int) -> bytes:
            raise ConnectionResetError

    paho = Broken([])
    intake = Intake(paho, lambda *_: None, lambda *_: None, properties=True)

    assert intake.read() == 7
    assert paho.ended
