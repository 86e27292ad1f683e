"""The request parser: events, validation and limits."""

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.request_limits import MAX_PIPELINED
from gateway.transport.request_parser import (
    INVALID_REQUEST,
    MAX_CHUNKS,
    MAX_HTTP_REQUEST_BYTES,
    BodyPiece,
    Event,
    RequestEnd,
    RequestError,
    RequestHead,
    RequestParser,
    is_valid_target,
    origin_form,
)
from tests.gateway import handshake, request

HOSTLESS = request("/nothing").replace(b"Host: localhost\r\n", b"")


def parse(data: bytes, *, piece_bytes: int = 0) -> list[Event]:
    """Feed a parser in pieces; return all events."""
    parser = RequestParser()
    size = piece_bytes or len(data)
    return [one for at in range(0, len(data), size) for one in parser.feed(data[at : at + size])]


def test_a_request_is_a_head_its_body_and_an_end() -> None:
    """Header names are lower case."""
    head, *rest = parse(request("/a?b=c", "Content-Length: 3", method="POST") + b"abc")

    assert isinstance(head, RequestHead)
    assert (head.method, head.target, head.version) == (b"POST", b"/a?b=c", "1.1")
    assert head.headers == ((b"host", b"localhost"), (b"content-length", b"3"))
    assert head.repeated == ()
    assert rest == [BodyPiece(b"abc"), RequestEnd()]


def test_a_chunked_body_is_passed_on_without_its_coding_and_trailers() -> None:
    """A trailer is not added to the headers."""
    sent = request("/", "Transfer-Encoding: chunked", method="POST")
    head, *rest = parse(sent + b"3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n")

    assert isinstance(head, RequestHead)
    assert b"x-trailer" not in head.fields
    assert rest == [BodyPiece(b"abc"), RequestEnd()]


@pytest.mark.parametrize("cut", [1, 7, 100_000])
def test_a_body_has_a_limited_number_of_chunks(cut: int) -> None:
    """Each costs as much as a small request; however the bytes arrive, they are counted."""
    sent = request("/", "Transfer-Encoding: chunked", method="POST")
    for chunks, status in ((MAX_CHUNKS - 1, None), (MAX_CHUNKS, 413)):
        parser, data = RequestParser(), sent + b"1\r\na\r\n" * chunks + b"0\r\n\r\n"
        events: list[Event] = []
        for start in range(0, len(data), cut):
            events += parser.feed(data[start : start + cut])
            if events and isinstance(events[-1], RequestError):
                break
        last = events[-1]
        assert (last.status if isinstance(last, RequestError) else None) == status
        assert isinstance(last, RequestEnd if status is None else RequestError)


def test_repeated_headers_are_kept_in_their_order() -> None:
    """`fields` has the last of them."""
    head = parse(request("/", "Connection: close", "A: 1", "connection: upgrade"))[0]

    assert isinstance(head, RequestHead)
    assert head.headers == [
        (b"host", b"localhost"), (b"connection", b"close"),
        (b"a", b"1"), (b"connection", b"upgrade"),
    ]  # fmt: skip
    assert head.fields[b"connection"] == b"upgrade"


@pytest.mark.parametrize(
    "name", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"]
)
def test_a_repeated_header_of_proxies_is_one_list(name: str) -> None:
    """RFC 9110 §5.2: what an earlier proxy told counts as well."""
    head = parse(request("/", f"{name}: a", "A: 1", f"{name.lower()}: b"))[0]

    assert isinstance(head, RequestHead)
    assert head.fields[name.lower().encode()] == b"a,b"


def test_whitespace_around_a_value_is_no_part_of_it() -> None:
    """RFC 9112 §5.1."""
    head = parse(request("/", "A:  b c\t ", "B: "))[0]

    assert isinstance(head, RequestHead)
    assert head.headers == ((b"host", b"localhost"), (b"a", b"b c"), (b"b", b""))


@pytest.mark.parametrize(
    "sent",
    [
        handshake(),
        handshake().replace(b"Upgrade\r\n", b"Upgrade\r\nConnection: keep-alive\r\n"),
        handshake().replace(b"Connection:", b"Connection: keep-alive\r\nConnection:"),
        handshake().replace(b"GET /ws", b"GET http://localhost/ws"),
        handshake().replace(b"websocket", b"WebSocket"),
    ],
)
def test_a_handshake_is_recognised_in_every_form_that_proxies_send(sent: bytes) -> None:
    """What follows it is not parsed."""
    head, end = parse(sent + b"\x81\x80")

    assert isinstance(head, RequestHead)
    assert head.wants_websocket
    assert head.target == b"/ws"
    assert end == RequestEnd(b"\x81\x80")


@pytest.mark.parametrize(
    "sent",
    [request("/", "Upgrade: websocket"), request("/", "Connection: Upgrade", "Upgrade: h2c")],
)
def test_a_request_for_another_upgrade_is_no_handshake(sent: bytes) -> None:
    """Nor one without the Connection header."""
    head = parse(sent)[0]

    assert isinstance(head, RequestHead)
    assert not head.wants_websocket


@pytest.mark.parametrize(
    "sent",
    [
        HOSTLESS,
        request("/nothing", "Host: y"),
        handshake("/ws", "Host: y"),
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"garbage\r\n\r\n",
        request("/", "Content-Length: x"),
        request("/", "Transfer-Encoding: chxnked", method="POST"),
        request("/", "Transfer-Encoding: chunked, gzip", method="POST"),
        request("/", "Transfer-Encoding: gzip", method="POST"),
        request("/", "Content-Length: 5", "Transfer-Encoding: chunked", method="POST"),
        request("/", "Content-Length: 5", "Content-Length: 6", method="POST"),
    ],
    ids=[
        "no host",
        "two hosts",
        "handshake with two hosts",
        "CONNECT",
        "garbage",
        "length",
        "coding",
        "last coding",
        "coding of a request without a body",
        "length and coding",
        "two lengths",
    ],
)
def test_an_invalid_request_is_an_error_without_a_head(sent: bytes) -> None:
    """HTTP/1.1 needs one Host header (RFC 9112 §3.2)."""
    assert parse(sent) == [RequestError(INVALID_REQUEST)]


@pytest.mark.parametrize(
    ("target", "host", "is_valid"),
    [
        ("http://a.example/x", "a.example", True),
        ("HTTP://A.example:80/x", "a.Example", True),
        ("http://a.example", "a.example:80", True),
        ("https://a.example?x", "a.example:443", True),
        ("http://a.example:8080/x", "a.example:8080", True),
        ("http://evil.example/x", "a.example", False),
        ("http://a.example/x", "evil.example", False),
        ("http://a.example:81/x", "a.example", False),
        ("http://user@a.example/x", "a.example", False),
        ("http://a.example#@evil.example/x", "evil.example", False),
        ("ws://a.example/x", "evil.example", False),
        ("/x?y=http://evil.example/", "a.example", True),
    ],
)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_absolute_target_names_the_same_host(
    target: str, host: str, version: str, is_valid: bool
) -> None:
    """So that both parsers and every rule about hosts speak of one."""
    sent = f"GET {target} HTTP/{version}\r\nHost: {host}\r\n\r\n"

    assert isinstance(parse(sent.encode())[0], RequestHead) == is_valid


def test_an_absolute_target_needs_the_header_in_http_1_0_too() -> None:
    """It is for a proxy."""
    assert parse(b"GET http://a.example/ HTTP/1.0\r\n\r\n") == [RequestError(INVALID_REQUEST)]


def test_http_1_0_needs_no_host() -> None:
    """The header did not exist."""
    assert isinstance(parse(HOSTLESS.replace(b"HTTP/1.1", b"HTTP/1.0"))[0], RequestHead)


def test_requests_of_one_piece_are_limited() -> None:
    """One that is answered and MAX_PIPELINED that wait."""
    *heads, error = parse(request() * (MAX_PIPELINED + 2))

    assert sum(isinstance(one, RequestHead) for one in heads) == MAX_PIPELINED + 1
    assert isinstance(error, RequestError)
    assert error.limit == "pipelined"


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"GET /", b"x"),
        (b"GET / HTTP/1.1\r\nX: ", b"x"),
        (b"GET / HTTP/1.1\r\n", b"X: 1\r\n"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n", b"x"),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            b"X: 1\r\n",
        ),
    ],
    ids=["target", "header", "headers", "body", "trailers"],
)
def test_a_request_of_several_pieces_is_limited_in_every_part(start: bytes, more: bytes) -> None:
    """To MAX_HTTP_REQUEST_BYTES behind its first piece."""
    parser = RequestParser()
    parser.feed(start)
    piece = more * (8192 // len(more))
    fed = 0
    while not any(isinstance(one, RequestError) for one in parser.feed(piece)):
        fed += len(piece)
        assert fed <= MAX_HTTP_REQUEST_BYTES


@pytest.mark.parametrize(
    ("sent", "status", "limit"),
    [
        (request("/" + "x" * 8192), 414, "target"),
        (request("/", "X: " + "x" * 16_385), 431, "header-value"),
        (request("/", *(f"X-{n}: {'x' * 8000}" for n in range(5))), 431, "header-bytes"),
        (request("/", *(f"X-{n}: 1" for n in range(128))), 431, "headers"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 60_000, 431, "header-bytes"),
    ],
    ids=["target", "value", "headers together", "number", "an incomplete value"],
)
@pytest.mark.parametrize("piece", [1000, 100_000])
def test_a_head_is_limited_in_one_piece_or_in_many(
    sent: bytes, status: int, limit: str, piece: int
) -> None:
    """The error names the limit; a whole head above one is never returned."""
    parser = RequestParser()
    events = [
        event
        for start in range(0, len(sent), piece)
        for event in parser.feed(sent[start : start + piece])
    ]
    if not any(isinstance(one, RequestError) for one in events):
        events = parser.feed(b"x" * 40_000)  # the first piece is not counted

    error = next(one for one in events if isinstance(one, RequestError))
    assert (error.status, error.limit) == (status, limit)
    assert not any(isinstance(one, RequestHead) for one in events)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/ws?a=http://b/c", b"/ws?a=http://b/c"),
        (b"http://x/ws?a=b", b"/ws?a=b"),
        (b"http://x", b"/"),
        (b"http://x?a=/ws", b"/?a=/ws"),
        (b"//ws?a=//b", b"/ws?a=//b"),
        (b"//", b"/"),
        (b"*", b"*"),
    ],
)
def test_the_origin_form_is_the_path_and_the_query(target: bytes, expected: bytes) -> None:
    """RFC 9112 §3.2.2: a server accepts the absolute form."""
    assert origin_form(target) == expected


@pytest.mark.parametrize("target", [b"/\xff", b"/" + b"x" * 65_536])
def test_a_target_that_uvicorn_cannot_parse_is_invalid(target: bytes) -> None:
    """It would log a warning for each."""
    assert not is_valid_target(target)
    assert is_valid_target(b"/a?b#c")


some_requests = st.lists(
    st.sampled_from(
        [
            request("/a"),
            request("/b", "Content-Length: 3", method="POST") + b"abc",
            request("/c", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\n0\r\n\r\n",
        ]
    ),
    min_size=1,
    max_size=4,
).map(b"".join)


@given(some_requests, st.integers(1, 50))
def test_requests_are_equal_however_they_are_cut(data: bytes, piece_bytes: int) -> None:
    """Only the pieces of a body may be cut otherwise."""

    def joined(events: list[Event]) -> list[Event]:
        result: list[Event] = []
        for event in events:
            last = result[-1] if result else None
            if isinstance(event, BodyPiece) and isinstance(last, BodyPiece):
                result[-1] = BodyPiece(last.data + event.data)
            else:
                result.append(event)
        return result

    assert joined(parse(data, piece_bytes=piece_bytes)) == joined(parse(data))


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_are_parsed_without_an_exception(pieces: list[bytes]) -> None:
    """Nothing is fed behind an error."""
    parser = RequestParser()
    for piece in pieces:
        if any(isinstance(one, RequestError) for one in parser.feed(piece)):
            break


def test_a_refused_parser_is_freed_at_once() -> None:
    """It has a target of 96 KiB, and cyclic garbage is collected seldom."""
    gc.collect()
    parser = RequestParser()
    parser.feed(b"GET /" + b"x" * 100_000)
    parser.close()
    gc.disable()
    try:
        del parser
        assert not [one for one in gc.get_objects() if isinstance(one, RequestParser)]
    finally:
        gc.enable()
