"""HTTP requests and handshakes: parsed alike however they are cut, and answered as the library."""

import re
from collections.abc import Iterator

from gateway.auth.authenticator import token_in
from gateway.transport.handshake import negotiate, respond, respond_by_library
from gateway.transport.handshake_cache import parse_cached
from gateway.transport.request_checks import head_error_of
from gateway.transport.request_limits import DEFAULT_LIMITS, MAX_PIPELINED
from gateway.transport.request_parser import (
    BodyPiece,
    Event,
    RequestEnd,
    RequestError,
    RequestHead,
    RequestParser,
    is_valid_target,
)
from tests.fuzz.byte_source import ByteSource, cut
from tests.gateway import handshake, request

MAX_BYTES = 4096
_DATE = re.compile(rb"date: [^\r]+\r\n")


def check(data: bytes) -> None:
    """Parse a request whole and in pieces; the first byte is the size of a piece."""
    source = ByteSource(data)
    size, stream = source.byte() % 64 + 1, source.rest()
    whole = _parse([stream])
    if not _is_upgrade(whole):
        _check_pieces(_joined(whole), _joined(_parse(cut(stream, size))))
    for event in whole:
        if isinstance(event, RequestHead):
            _check_head(event)
    cached = parse_cached(stream)
    if cached is not None:
        head, end = whole
        assert isinstance(head, RequestHead)
        assert head_error_of(head, DEFAULT_LIMITS) is None
        assert end == RequestEnd()
        assert head.target.partition(b"?")[2] == cached.query
        assert respond(head) == cached.response, "a cached handshake has another response"


def seeds() -> Iterator[bytes]:
    """Yield handshakes, requests with and without bodies, and what no browser sends."""
    yield b"\x05" + handshake("/ws?pillow=cloud-1&since=ep:12", "Origin: https://a.example")
    yield b"\x07" + handshake(
        "/ws",
        "Sec-WebSocket-Protocol: pillowcast.v1, bearer.eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    )
    yield b"\x01" + request("/api/pillows", "Authorization: Bearer  a.b.c ") * 2
    yield b"\x09" + request("/events", "Last-Event-ID: ep:3", "Accept: text/event-stream")
    yield b"\x02" + request("/", "Content-Length: 3", method="POST") + b"abc"
    yield (
        b"\x03"
        + request("/", "Transfer-Encoding: chunked", method="POST")
        + b"3\r\nabc\r\n0\r\n\r\n"
    )
    yield b"\x04" + request("//api//x", "Transfer-Encoding: gzip", "Content-Length: 1")
    yield b"\x04GET http://a.example/x HTTP/1.0\r\n\r\n"
    yield b"\x04CONNECT a.example:80 HTTP/1.1\r\nHost: a\r\n\r\n"
    yield b"\x20" + handshake("/ws", "Content-Length: 1") + b"x\x81\x80\x00\x00\x00\x00"
    yield b"\x01" + request("/") * (MAX_PIPELINED + 3)
    yield b"\x06" + request("/\xe9?%00", "X: \x80 \t", "x: 2")


def _parse(pieces: list[bytes]) -> list[Event]:
    parser = RequestParser()
    events: list[Event] = []
    for piece in pieces:
        events += parser.feed(piece)
    parser.close()
    return events


def _check_pieces(whole: list[Event], in_pieces: list[Event]) -> None:
    """What is read does not depend on the pieces; when a limit is noticed may."""
    if _has_failed(in_pieces) and not _has_failed(whole):
        assert whole[: len(in_pieces) - 1] == in_pieces[:-1]
        assert len(whole) < len(in_pieces), "refused in pieces, and complete as a whole"
    elif _has_failed(whole) and _heads(whole) > MAX_PIPELINED:
        # The limit is of requests that wait; those that come in pieces do not come at once.
        assert in_pieces[: len(whole) - 1] == whole[:-1]
    else:
        assert in_pieces == whole, "the pieces change a request"


def _heads(events: list[Event]) -> int:
    return sum(isinstance(event, RequestHead) for event in events)


def _has_failed(events: list[Event]) -> bool:
    return bool(events) and isinstance(events[-1], RequestError)


def _is_upgrade(events: list[Event]) -> bool:
    """Return whether the parser ends with a request: what follows is not parsed by it."""
    return any(isinstance(event, RequestHead) and event.is_upgrade for event in events)


def _joined(events: list[Event]) -> list[Event]:
    """Return events with the pieces of each body as one; what is behind an error is dropped."""
    joined: list[Event] = []
    for event in events:
        if isinstance(event, BodyPiece) and joined and isinstance(joined[-1], BodyPiece):
            joined[-1] = BodyPiece(joined[-1].data + event.data)
        else:
            joined.append(event)
        if isinstance(event, RequestError):
            break
    return joined


def _check_head(head: RequestHead) -> None:
    is_valid_target(head.target)
    token_in(head.fields)
    by_library = respond_by_library(head)
    answers = [_DATE.sub(b"", one.data) for one in (respond(head), by_library)]
    assert answers[0] == answers[1], "a cached offer has another response"
    negotiated = negotiate(head)
    assert negotiated is None or by_library.accepted, "accepted what the library refuses"
    if by_library.accepted:
        assert head.target.partition(b"?")[0] == b"/ws"
    else:
        assert by_library.data.startswith(b"HTTP/1.1 4") or b"505" in by_library.data[:16]
