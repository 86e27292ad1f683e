"""RFC 6455 by its sections, on a connection without a socket.

Each case is what a client sends after the snapshot, followed by a ping of the contract: its answer
shows that the connection is still open.
"""

import struct
from collections.abc import AsyncIterator

import msgspec
import pytest

from tests.gateway import BINARY, CLOSE, PING, TEXT, client_frame
from tests.unit.gateway.transport.transports import MemoryWebSocket, memory_websocket

CONT, PONG = 0, 10
PING_MESSAGE = b'{"type":"ping","sent":%d}'
OPEN = 424242
"""The answer that shows an open connection."""


@pytest.fixture
async def websocket() -> AsyncIterator[MemoryWebSocket]:
    """A connection for one test."""
    async with memory_websocket() as opened:
        yield opened


async def exchange(
    websocket: MemoryWebSocket, sent: bytes, *, piece_bytes: int = 0
) -> list[object]:
    """Send bytes and the last ping; return the answers in short."""
    last = client_frame(TEXT, PING_MESSAGE % OPEN)
    return in_short(await websocket.send(sent + last, piece_bytes=piece_bytes))


def message(number: int, *, fragments: int = 1) -> bytes:
    """A ping of the contract in so many fragments."""
    text = PING_MESSAGE % number
    size = -(-len(text) // fragments)
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    return b"".join(
        client_frame(TEXT if index == 0 else CONT, part, fin=index == len(parts) - 1)
        for index, part in enumerate(parts)
    )


def in_short(frames: list[tuple[int, bytes]]) -> list[object]:
    """Answers by the number that they echo, pongs by their payload, a close by its code."""
    short: list[object] = []
    for opcode, payload in frames:
        if opcode == TEXT:
            answer = msgspec.json.decode(payload)
            short.append(answer.get("sent", answer.get("code")))
        elif opcode == CLOSE:
            short.append(("close", struct.unpack("!H", payload[:2])[0] if payload else None))
        else:
            short.append((opcode, payload))
    return short


# §5.1, §5.3: masking.


async def test_5_1_the_servers_frames_are_not_masked(websocket: MemoryWebSocket) -> None:
    """A client must fail the connection otherwise."""
    frames = await websocket.send(client_frame(PING, b"x") + message(1))
    rest: bytes = websocket.transport.written
    assert len(frames) == 2
    while rest:
        assert rest[1] & 0x80 == 0
        length = rest[1] & 0x7F
        header = 2 if length < 126 else 4
        length = length if length < 126 else int.from_bytes(rest[2:4])
        rest = rest[header + length :]


@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, PONG, CLOSE])
async def test_5_1_an_unmasked_frame_is_closed_with_1002(
    websocket: MemoryWebSocket, opcode: int
) -> None:
    """Whatever its opcode."""
    sent = client_frame(opcode, b"", mask=False)
    assert await exchange(websocket, sent) == [("close", 1002)]


async def test_5_3_every_mask_is_removed(websocket: MemoryWebSocket) -> None:
    """Whatever its bytes."""
    sent = b""
    for number, mask in enumerate((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\x02\x03\x04"), 1):
        text = PING_MESSAGE % number
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))
        sent += bytes([0x81, 0x80 | len(text)]) + mask + masked
    assert await exchange(websocket, sent) == [1, 2, 3, OPEN]


# §5.2: the base frame.


@pytest.mark.parametrize("bits", [0x40, 0x20, 0x10, 0x70])
async def test_5_2_a_reserved_bit_without_an_extension_is_closed_with_1002(
    websocket: MemoryWebSocket, bits: int
) -> None:
    """RSV1 only has a meaning where permessage-deflate was negotiated."""
    sent = bytes([0x81 | bits, 0x80]) + bytes(4)
    assert await exchange(websocket, sent) == [("close", 1002)]


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
async def test_5_2_a_reserved_opcode_is_closed_with_1002(
    websocket: MemoryWebSocket, opcode: int
) -> None:
    """Data or control."""
    assert await exchange(websocket, client_frame(opcode, b"")) == [("close", 1002)]


@pytest.mark.parametrize("length", [125, 126, 127, 65_535, 65_536])
async def test_5_2_every_form_of_a_length_is_read(websocket: MemoryWebSocket, length: int) -> None:
    """Seven bits, two bytes and eight bytes."""
    text = (PING_MESSAGE % 5).ljust(length)
    assert await exchange(websocket, client_frame(TEXT, text)) == [5, OPEN]


@pytest.mark.parametrize("length", [65_537, 1 << 31, 1 << 62, (1 << 63) + 1])
async def test_5_2_a_length_above_the_limit_is_closed_with_1009_at_once(
    websocket: MemoryWebSocket, length: int
) -> None:
    """By the header alone; also with the most significant bit, which must be 0."""
    header = b"\x81\xff" + struct.pack("!Q", length) + bytes(4)
    assert await exchange(websocket, header) == [("close", 1009)]


@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 7, 100])
async def test_5_2_a_frame_may_arrive_in_pieces_of_any_size(
    websocket: MemoryWebSocket, piece_bytes: int
) -> None:
    """As TCP cuts it."""
    sent = message(1) + client_frame(PING, b"between") + message(2, fragments=3)
    found = await exchange(websocket, sent, piece_bytes=piece_bytes)
    assert found == [1, (PONG, b"between"), 2, OPEN]


# §5.4: fragmentation.


@pytest.mark.parametrize("fragments", [2, 3, 25])
async def test_5_4_a_message_may_have_any_number_of_fragments(
    websocket: MemoryWebSocket, fragments: int
) -> None:
    """It is one message."""
    assert await exchange(websocket, message(1, fragments=fragments)) == [1, OPEN]


async def test_5_4_a_fragment_may_be_empty(websocket: MemoryWebSocket) -> None:
    """The first, one in the middle, and the last."""
    sent = (
        client_frame(TEXT, b"", fin=False)
        + client_frame(CONT, b"", fin=False)
        + client_frame(CONT, PING_MESSAGE % 1, fin=False)
        + client_frame(CONT, b"", fin=True)
    )
    assert await exchange(websocket, sent) == [1, OPEN]


async def test_5_4_a_control_frame_between_fragments_is_answered_at_once(
    websocket: MemoryWebSocket,
) -> None:
    """§5.5.3 allows to answer only the newest ping; each is answered here."""
    text = PING_MESSAGE % 1
    sent = (
        client_frame(TEXT, text[:5], fin=False)
        + client_frame(PING, b"a")
        + client_frame(PONG, b"unsolicited")
        + client_frame(CONT, text[5:8], fin=False)
        + client_frame(PING, b"b")
        + client_frame(CONT, text[8:])
    )
    assert await exchange(websocket, sent) == [(PONG, b"a"), (PONG, b"b"), 1, OPEN]


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_5_4_a_message_within_another_is_closed_with_1002(
    websocket: MemoryWebSocket, opcode: int
) -> None:
    """The fragments of two messages must not be interleaved."""
    sent = client_frame(TEXT, b"{", fin=False) + client_frame(opcode, b"{}")
    assert await exchange(websocket, sent) == [("close", 1002)]


@pytest.mark.parametrize("fin", [True, False])
@pytest.mark.parametrize("before", [b"", message(1)], ids=["first", "after a message"])
async def test_5_4_a_continuation_of_nothing_is_closed_with_1002(
    websocket: MemoryWebSocket, fin: bool, before: bytes
) -> None:
    """At the start and after a whole message."""
    found = await exchange(websocket, before + client_frame(CONT, b"", fin=fin))
    assert found == [*([1] if before else []), ("close", 1002)]


# §5.5: control frames.


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
@pytest.mark.parametrize("case", ["126 bytes", "fragment"])
async def test_5_5_a_long_or_fragmented_control_frame_is_closed_with_1002(
    websocket: MemoryWebSocket, opcode: int, case: str
) -> None:
    """125 bytes are allowed."""
    long = bytes([0x80 | opcode, 0x80 | 126]) + struct.pack("!H", 126) + bytes(4) + bytes(126)
    sent = long if case == "126 bytes" else client_frame(opcode, b"", fin=False)
    assert await exchange(websocket, sent) == [("close", 1002)]


@pytest.mark.parametrize("payload", [b"", b"x", bytes(range(125))])
async def test_5_5_2_a_ping_is_answered_with_its_payload(
    websocket: MemoryWebSocket, payload: bytes
) -> None:
    """All of it."""
    assert await exchange(websocket, client_frame(PING, payload)) == [(PONG, payload), OPEN]


async def test_5_5_3_an_unsolicited_pong_is_ignored(websocket: MemoryWebSocket) -> None:
    """It is allowed, and is not answered."""
    assert await exchange(websocket, client_frame(PONG, b"hello")) == [OPEN]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", None),
        (b"\x03\xe8", 1000),
        (b"\x03\xe8bye", 1000),
        (b"\x03\xe8" + b"x" * 123, 1000),
    ],
)
async def test_5_5_1_a_close_is_echoed_and_tcp_is_closed(
    websocket: MemoryWebSocket, payload: bytes, code: int | None
) -> None:
    """By the server (§7.1.1), and nothing behind the close frame is read."""
    assert await exchange(websocket, client_frame(CLOSE, payload)) == [("close", code)]
    assert websocket.transport.has_ended


# §5.6, §8.1: text is UTF-8.


@pytest.mark.parametrize("cut", [0, 1], ids=["whole", "fragments"])
@pytest.mark.parametrize(
    "text",
    [b"\xff", b"\xc0\xaf", b"\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xce\xba\xe1\xbd"],
)
async def test_8_1_text_that_is_not_utf_8_is_closed_with_1007(
    websocket: MemoryWebSocket, text: bytes, cut: int
) -> None:
    """Wherever it is cut."""
    fragments = client_frame(TEXT, text[:1], fin=False) + client_frame(CONT, text[1:])
    sent = fragments if cut else client_frame(TEXT, text)
    assert await exchange(websocket, sent) == [("close", 1007)]


async def test_5_6_a_character_may_be_cut_by_a_fragment(websocket: MemoryWebSocket) -> None:
    """Only the whole message must be UTF-8."""
    text = '{"type":"ping","sent":3,"x":"☁🤗"}'.encode()
    for cut in range(1, len(text)):
        sent = client_frame(TEXT, text[:cut], fin=False) + client_frame(CONT, text[cut:])
        assert await exchange(websocket, sent) == [3, OPEN]


# §7.4: close codes.


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4999])
async def test_7_4_a_defined_code_is_echoed(websocket: MemoryWebSocket, code: int) -> None:
    """RFC codes, registered and private ones."""
    sent = client_frame(CLOSE, struct.pack("!H", code))
    assert await exchange(websocket, sent) == [("close", code)]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535])
async def test_7_4_an_undefined_or_internal_code_is_closed_with_1002(
    websocket: MemoryWebSocket, code: int
) -> None:
    """1005, 1006 and 1015 must not be sent (§7.4.1)."""
    sent = client_frame(CLOSE, struct.pack("!H", code))
    assert await exchange(websocket, sent) == [("close", 1002)]


@pytest.mark.parametrize(("payload", "code"), [(b"\x03", 1002), (b"\x03\xe8\xff", 1007)])
async def test_7_1_6_a_close_with_half_a_code_or_a_bad_reason_is_a_fault(
    websocket: MemoryWebSocket, payload: bytes, code: int
) -> None:
    """The reason must be UTF-8."""
    assert await exchange(websocket, client_frame(CLOSE, payload)) == [("close", code)]


# §7.1: the closing handshake.


async def test_7_1_simultaneous_closes_are_one_closing_handshake(
    websocket: MemoryWebSocket,
) -> None:
    """Each side takes the other's close for the answer to its own."""
    websocket.core.dispatcher.announce_restart()
    frames = await websocket.send(client_frame(CLOSE, b"\x03\xe9"))

    closes = [payload for opcode, payload in frames if opcode == CLOSE]
    assert closes == [b"\x03\xf4"]
    assert websocket.transport.has_ended


async def test_7_1_frames_behind_the_servers_close_are_not_processed(
    websocket: MemoryWebSocket,
) -> None:
    """They are read until the client's close, which ends the connection."""
    sent = client_frame(TEXT, b"garbage") + message(1) + client_frame(PING, b"?")
    frames = await websocket.send(sent + client_frame(CLOSE, b"\x11\x30"))

    assert in_short(frames) == [4400, ("close", 4400)]
    assert websocket.transport.has_ended


async def test_7_1_4_an_end_without_a_close_is_not_answered(websocket: MemoryWebSocket) -> None:
    """The client is unsubscribed, and nothing is written."""
    websocket.connection.eof_received()

    assert not websocket.connection.is_subscribed
    assert await websocket.send(b"") == []
