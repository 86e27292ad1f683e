"""Client messages: any text is a frame or a sentence, and every answer can be encoded."""

from collections.abc import Iterator

import msgspec

from contract.frames import (
    BAD_MESSAGE,
    MAX_SUBSCRIBED,
    Error,
    Ping,
    Pong,
    Shown,
    Subscribe,
    Token,
    decode_request,
    encode_frame,
)
from contract.motion import MAX_MOTION, SubscribeMotion
from contract.topics import is_pillow_id
from tests.fuzz.byte_source import ByteSource
from tests.fuzz.odd_json import odd_object

USUAL = (
    ((b"type", b'"ping"'), (b"sent", b"1763791200123.5")),
    ((b"type", b'"subscribe"'), (b"pillows", b'["cloud-1","a-2"]')),
    ((b"type", b'"shown"'), (b"pillow", b'"a"'), (b"shown", b"1"), (b"queued", b"1")),
    ((b"type", b'"token"'), (b"token", b'"a.b.c"')),
    ((b"type", b'"motion"'), (b"pillows", b'["cloud-1","a-2"]')),
)
MAX_BYTES = 4096


def check(data: bytes) -> None:
    """Decode a message, whole or made of odd values, and encode the answer to it."""
    if data[:1] == b"\0":
        source = ByteSource(data[1:])
        data = odd_object(source, source.choice(USUAL))
    outcome = decode_request(data)
    decode_request(data.decode(errors="surrogateescape"))
    if isinstance(outcome, str):
        assert len(outcome) < 1000, "a reason is a sentence"
        msgspec.json.decode(encode_frame(Error(BAD_MESSAGE, outcome)))
    elif isinstance(outcome, Ping):
        pong = msgspec.json.decode(encode_frame(Pong(outcome.sent, 1)))
        assert pong["sent"] == outcome.sent, "a pong has another time than its ping"
    elif isinstance(outcome, Subscribe) and outcome.pillows != "all":
        assert len(outcome.pillows) <= MAX_SUBSCRIBED
        assert all(map(is_pillow_id, outcome.pillows))
    elif isinstance(outcome, SubscribeMotion):
        assert len(outcome.pillows) <= MAX_MOTION
        assert all(map(is_pillow_id, outcome.pillows))
    elif isinstance(outcome, Shown):
        assert is_pillow_id(outcome.pillow)
    else:
        assert isinstance(outcome, Subscribe | Token)


def seeds() -> Iterator[bytes]:
    """Yield each kind of message, and with odd values."""
    yield b'{"type":"subscribe","pillows":["cloud-1","a-2"]}'
    yield b'{"type":"subscribe","pillows":"all"}'
    yield b'{"type":"ping","sent":1763791200123.5}'
    yield b'{"type":"ping","sent":-1%b}' % (b"0" * 400)
    yield b'{"type":"ping","sent":1e308,"more":[[[{}]]]}'
    yield b'{"type":"shown","pillow":"a","shown":9007199254740991,"traceparent":"00-0-0-01"}'
    yield b'{"type":"motion","pillows":[]}'
    yield b'{"type":"motion","pillows":["a","cloud-1","bridge"]}'
    yield b'{"type":"token","token":"eyJhbGciOiJIUzI1NiJ9.e30.c2ln"}'
    yield b'{"type":"subscribe","pillows":["bridge","\\ud800","%b"]}' % (b"a" * 300)
    yield b'{"sent":1,"type":"pi\\u006eg"}'
    yield b"[" * 2000
    yield b'{"type":"%b"}' % (b"x" * 2000)
    for kind in range(3):
        yield bytes((0, kind, 0, 0, 0))
        yield bytes((0, kind, 2, 0, 1, 8, 0))
