"""WebSocket frames: a stream has the same messages, answers and end however it is cut."""

from collections.abc import Iterator
from typing import NamedTuple

from contract.frames import MAX_REQUEST_BYTES
from gateway.transport.message_reader import (
    Event,
    MessageReader,
    PingReceived,
    TextMessage,
)
from tests.fuzz.byte_source import ByteSource, cut
from tests.gateway import CLOSE, PING, TEXT, client_frame

MAX_BYTES = 4096
MAX_CONTROL_BYTES = 125


class _Outcome(NamedTuple):
    events: list[Event]
    sent: bytes
    is_open: bool
    is_over: bool
    has_failed: bool


def check(data: bytes) -> None:
    """Read a stream whole and in pieces; the first two bytes: compression, and their size."""
    source = ByteSource(data)
    deflate, size = source.choice((False, True)), source.byte() % 32 + 1
    stream = source.rest()
    whole = _read([stream], deflate=deflate, is_replaced=False)
    in_pieces = _read(cut(stream, size), deflate=deflate, is_replaced=True)
    if whole.has_failed and in_pieces.has_failed:
        # Of two faults that arrive together the library may name the second.
        in_pieces = in_pieces._replace(sent=whole.sent)
    assert in_pieces == whole, "the pieces of a stream change its meaning"
    for event in whole.events:
        if isinstance(event, TextMessage):
            assert len(event.text.encode()) <= MAX_REQUEST_BYTES
        elif isinstance(event, PingReceived):
            assert len(event.payload) <= MAX_CONTROL_BYTES
    assert whole.is_open or whole.sent, "closed without a close frame"


def seeds() -> Iterator[bytes]:
    """Yield whole, fragmented, compressed and broken messages, control frames and closes."""
    ping = client_frame(PING, b"abc")
    yield b"\x00\x07" + client_frame(TEXT, b'{"type":"ping","sent":1}') + ping
    yield (
        b"\x00\x01"
        + client_frame(TEXT, b"\xc3", fin=False)
        + ping
        + client_frame(0, b"", fin=False)
        + client_frame(0, b"\xa4")
    )
    yield b"\x01\x04\xc1\x85\x00\x00\x00\x00\xaa\x56\x2a\xa9\x2c"
    yield b"\x00\x03" + client_frame(CLOSE, b"\x03\xe8bye") + client_frame(TEXT, b"late")
    yield b"\x00\x02" + client_frame(2, b"x" * 130) + client_frame(TEXT, b"\xff")
    yield b"\x00\x02" + client_frame(TEXT, b"x", mask=False)
    yield b"\x00\x02\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"
    yield b"\x00\x09\x8a\x80\x01\x02\x03\x04\x89\xfe\x00\x7e"


def _read(pieces: list[bytes], *, deflate: bool, is_replaced: bool) -> _Outcome:
    """Read as a connection does, which keeps what ends no frame for the next piece.

    It drops its reader while nothing is incomplete.
    """
    reader = MessageReader(deflate=deflate)
    events: list[Event] = []
    sent = b""
    for piece in pieces:
        if is_replaced and reader.keep(piece):
            continue
        events += reader.feed(piece)
        sent += reader.data_to_send()
        if is_replaced and reader.is_idle:
            reader = MessageReader(deflate=deflate)
    return _Outcome(events, sent, reader.is_open, reader.is_over, reader.has_failed)
