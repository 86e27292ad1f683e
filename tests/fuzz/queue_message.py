"""Queue messages: whatever is on the queue is a state or a dead letter, the same each time."""

import base64
from collections.abc import Iterator

import msgspec

from contract.dead_letters import DeadLetterAnnouncement, encode_announcement
from contract.messages import (
    MAX_BODY_BYTES,
    MAX_STATE_BYTES,
    ParsedMessage,
    Rejection,
    decode_message,
)
from contract.updates import Update, decode_state, encode_state
from tests.fuzz.byte_source import ByteSource
from tests.fuzz.odd_json import odd_object

USUAL = (
    (b"pillow", b'"cloud-1"'),
    (b"state", b'"HUGGING"'),
    (b"at", b'"2025-11-22T06:00:00.123Z"'),
    (b"seq", b"7"),
    (b"confidence", b"0.93"),
    (b"battery", b"1"),
    (b"motion", b"[[0,1,-1.5]]"),
    (b"traceparent", b""),
    (b"hops", b""),
)
QUEUED_MS = 1_763_791_200_123
MAX_BYTES = MAX_BODY_BYTES + 16


def check(data: bytes) -> None:
    """Decode a body, whole or made of odd values, and what the poller makes of it."""
    if data[:1] == b"\0":
        data = odd_object(ByteSource(data[1:]), USUAL)
    outcome = _decode(data)
    assert outcome == _decode(data.decode(errors="surrogateescape")), "bytes and text differ"
    if isinstance(outcome, Rejection):
        _check_dead_letter(outcome, data)
        return
    assert len(outcome.content) <= MAX_STATE_BYTES
    _check_state(outcome)
    packed = base64.b64encode(data)
    if data.startswith(b"{") and len(packed) <= MAX_BODY_BYTES:
        assert _decode(packed) == outcome, "Base64 of a message is another message"


def seeds() -> Iterator[bytes]:
    """Yield a message of each form, and of each kind of fault."""
    yield (
        b'{"pillow":"cloud-1","state":"hugging","at":"2025-11-22T06:00:00.123Z","seq":7,'
        b'"confidence":0.93,"battery":0.81,"motion":[[0.1,-1,9.8e-1]],"new":{"a":[null,true]},'
        b'"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}'
    )
    yield b"HUGGING"
    yield b"('HUGGING', u'NEUTRAL',)"
    yield base64.b64encode(b'{"pillow":"a","state":"spin","at":"2025-11-22T06:00:00+01:00"}')
    yield b'{"pillow":"a","state":"hug","seq":-1}'
    yield b'{"pillow":"a","state":"hug","at":"9999-12-31T23:59:60-23:59","seq":1e400}'
    yield b'{"pillow":"a","state":"hug","at":"0001-01-01T00:00:00+00:01"}'
    yield b'{"pillow":"\\ud800","state":"hug","x":%s}' % (b"[" * 70)
    for number in range(9):
        yield bytes((0, *(1 << number).to_bytes(2, "little"), 1, 9, 1, 2, 1, 8))
    yield b'\xef\xbb\xbf {"pillow":"a","state":"\xc3\xa4"} \r\n'


def _decode(body: bytes | str) -> ParsedMessage | Rejection:
    outcome = decode_message(body, default_pillow="cloud", queued_us=QUEUED_MS * 1000)
    if isinstance(outcome, Rejection):
        # Why text is not UTF-8 is said in other words of bytes than of a string.
        return outcome if outcome.reason != "not-text" else Rejection(outcome.reason, "")
    return outcome


def _check_state(message: ParsedMessage) -> None:
    payload = encode_state(
        message, queued_ms=QUEUED_MS, polled_ms=QUEUED_MS + 5, published_ms=QUEUED_MS + 9
    )
    update = decode_state(message.pillow, payload, now_ms=QUEUED_MS)
    assert isinstance(update, Update), f"the gateway refuses what the poller publishes: {update}"
    assert (update.order, update.state) == (message.order, message.state)
    assert (update.queued_ms, update.published_ms) == (QUEUED_MS, QUEUED_MS + 9)


def _check_dead_letter(rejection: Rejection, data: bytes) -> None:
    assert len(rejection.detail) < 1000, "a detail is a sentence"
    letter = DeadLetterAnnouncement(
        "id", rejection.reason, rejection.detail, 1, "", data.decode(errors="surrogateescape")
    )
    msgspec.json.decode(encode_announcement(letter))
