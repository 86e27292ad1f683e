"""A WebSocket connection: its answers, refusals and close, without a socket."""

from collections.abc import AsyncIterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from contract.frames import MAX_REQUEST_BYTES, MAX_SUBSCRIBED, Ping, decode_request
from gateway.transport.message_reader import PIECE_FRAMES
from tests.gateway import BINARY, CLOSE, PING, TEXT, client_frame, parse_frames
from tests.unit.gateway.transport.transports import MemoryWebSocket, memory_websocket

CONT, PONG = 0, 10
SUBSCRIBE = b'{"type":"subscribe","pillows":[%b]}'


@pytest.fixture
async def websocket() -> AsyncIterator[MemoryWebSocket]:
    """A connection for one test."""
    async with memory_websocket() as opened:
        yield opened


BAD_MESSAGES = {
    "not JSON": b"garbage",
    "empty": b"",
    "a list": b"[]",
    "null": b"null",
    "no type": b'{"sent":1}',
    "an unknown type": b'{"type":"publish"}',
    "a ping without a time": b'{"type":"ping"}',
    "a time that is text": b'{"type":"ping","sent":"1"}',
    "a time out of range": b'{"type":"ping","sent":1e999}',
    "a number of 60,000 digits": b'{"type":"ping","sent":' + b"9" * 60_000 + b"}",
    "60,000 open brackets": b"[" * 60_000,
    "60,000 open brackets in a field": b'{"type":"ping","x":' + b"[" * 60_000,
    "an invalid id": SUBSCRIBE % b'"../../x"',
    "a wildcard": SUBSCRIBE % b'"#"',
    "the bridge": SUBSCRIBE % b'"bridge"',
    "a number as an id": SUBSCRIBE % b"7",
    "a lone surrogate": SUBSCRIBE % b'"\\ud800"',
    "too many ids": SUBSCRIBE % b",".join(b'"p%d"' % n for n in range(MAX_SUBSCRIBED + 1)),
}


@pytest.mark.parametrize("text", BAD_MESSAGES.values(), ids=BAD_MESSAGES.keys())
async def test_a_bad_message_is_refused_with_its_reason_and_4400(
    websocket: MemoryWebSocket, text: bytes
) -> None:
    """An error frame of at most 500 characters, then a close."""
    (opcode, payload), close = await websocket.send(client_frame(TEXT, text))

    error = msgspec.json.decode(payload)
    assert opcode == TEXT
    assert (error["type"], error["code"]) == ("error", 4400)
    assert 0 < len(error["message"]) < 500
    assert close == (CLOSE, b"\x11\x30")
    assert websocket.core.count("refused_total", code="4400") == 1


async def test_a_binary_message_is_refused_with_4400(websocket: MemoryWebSocket) -> None:
    """Even if its bytes would be a valid text."""
    frames = await websocket.send(client_frame(BINARY, b'{"type":"ping","sent":1}'))

    assert frames[-1] == (CLOSE, b"\x11\x30")


async def test_many_bad_messages_at_once_are_refused_once(websocket: MemoryWebSocket) -> None:
    """The rest is not processed."""
    frames = await websocket.send(client_frame(TEXT, b"garbage") * 100)

    assert [opcode for opcode, _ in frames] == [TEXT, CLOSE]
    assert websocket.core.count("refused_total", code="4400") == 1


async def test_a_message_of_the_limit_is_answered_and_one_byte_more_is_closed_with_1009(
    websocket: MemoryWebSocket,
) -> None:
    """Whether it is one frame or two."""
    start = b'{"type":"ping","sent":1,"pad":"'
    fits = start + b"x" * (MAX_REQUEST_BYTES - len(start) - 2) + b'"}'
    assert len(fits) == MAX_REQUEST_BYTES

    assert b'"pong"' in (await websocket.send(client_frame(TEXT, fits)))[0][1]
    halves = client_frame(TEXT, fits[:40_000], fin=False) + client_frame(CONT, fits[40_000:] + b" ")
    assert (await websocket.send(halves))[0][1][:2] == b"\x03\xf1"


@pytest.mark.parametrize("count", [PIECE_FRAMES // 2, PIECE_FRAMES // 2 + 1, 3 * PIECE_FRAMES])
async def test_pings_and_messages_are_answered_in_their_order(
    websocket: MemoryWebSocket, count: int
) -> None:
    """Also those that the inbound scheduler processes in several turns."""
    one = client_frame(PING, b"p") + client_frame(TEXT, b'{"type":"ping","sent":1}')

    frames = await websocket.send(one * count)

    assert [opcode for opcode, _ in frames] == [PONG, TEXT] * count


def fragments(number: int, cuts: list[int]) -> bytes:
    """A ping of the contract, cut into frames."""
    text = b'{"type":"ping","sent":%d}' % number
    at = sorted({cut % len(text) for cut in cuts} - {0})
    parts = [text[a:b] for a, b in zip([0, *at], [*at, len(text)], strict=True)]
    return b"".join(
        client_frame(TEXT if place == 0 else CONT, part, fin=place == len(parts) - 1)
        for place, part in enumerate(parts)
    )


messages = st.builds(fragments, st.integers(0, 999), st.lists(st.integers(1, 30), max_size=3))
pings = st.binary(max_size=125).map(lambda payload: client_frame(PING, payload))
pongs = st.binary(max_size=125).map(lambda payload: client_frame(PONG, payload))
faults = st.sampled_from(
    [
        client_frame(TEXT, b"{}", mask=False),
        client_frame(CONT, b"x"),
        client_frame(3, b""),
        b"\xf1\x80\0\0\0\0",
        client_frame(PING, b"x" * 126),
        client_frame(CLOSE, b"\x03"),
        client_frame(CLOSE, b"\x03\xec"),
        b"\x81\xff" + b"\x7f" * 12,
    ]
)
closes = st.sampled_from([b"", b"\x03\xe8", b"\x03\xe9bye", b"\x0f\xa1"]).map(
    lambda payload: client_frame(CLOSE, payload)
)


def by_library(data: bytes) -> list[tuple[int, bytes]]:
    """What an application on the library's protocol would send: the differential test's oracle."""
    protocol = ServerProtocol(state=OPEN, max_size=MAX_REQUEST_BYTES)
    protocol.receive_data(data)
    answers: list[bytes] = []
    text = b""
    for frame in protocol.events_received():
        assert isinstance(frame, Frame)
        if frame.opcode is Opcode.PING:
            answers.append(Frame(Opcode.PONG, frame.data).serialize(mask=False))
        elif frame.opcode in (Opcode.TEXT, Opcode.CONT):
            text += frame.data
            if frame.fin:
                request = decode_request(text)
                assert isinstance(request, Ping)
                answer = b'{"type":"pong","sent":%d' % request.sent
                answers.append(Frame(Opcode.TEXT, answer).serialize(mask=False))
                text = b""
    closes = [one for one in protocol.data_to_send() if one[:1] == b"\x88"]
    return parse_frames(b"\r\n\r\n" + b"".join((*answers, *closes)))


@given(
    st.lists(st.one_of(messages, pings, pongs), max_size=6),
    st.one_of(closes, faults),
    st.integers(1, 300),
)
async def test_any_conversation_is_answered_as_by_the_library(
    before: list[bytes], last: bytes, piece_bytes: int
) -> None:
    """All answers in the order of what they answer, and the same close."""
    sent = b"".join((*before, last))
    async with memory_websocket() as websocket:
        found = await websocket.send(sent, piece_bytes=piece_bytes)

    expected = by_library(sent)
    assert [opcode for opcode, _ in found] == [opcode for opcode, _ in expected]
    for (opcode, payload), (_, wanted) in zip(found, expected, strict=True):
        assert payload.startswith(wanted) if opcode == TEXT else payload == wanted
