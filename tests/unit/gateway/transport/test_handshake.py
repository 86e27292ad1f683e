"""The opening handshake: our cached response beside the library's own to the same request."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.utils import accept_key

from gateway.transport import handshake
from gateway.transport.handshake import HandshakeResponse, respond, respond_by_library
from gateway.transport.request_parser import Headers, RequestHead

KEY = (b"sec-websocket-key", b"AQIDBAUGBwgJCgsMDQ4PEA==")
PLAIN = (
    (b"host", b"x"),
    (b"upgrade", b"websocket"),
    (b"connection", b"Upgrade"),
    (b"sec-websocket-version", b"13"),
)


def head(
    *headers: tuple[bytes, bytes],
    target: bytes = b"/ws",
    method: bytes = b"GET",
    version: str = "1.1",
) -> RequestHead:
    """A request's head as the parser makes it."""
    fields = dict(headers)
    repeated: Headers = headers if len(fields) < len(headers) else ()
    return RequestHead(method, target, version, fields, repeated, is_upgrade=True)


def offer(extensions: bytes) -> HandshakeResponse:
    """The response to a valid handshake that offers extensions."""
    return respond(head(*PLAIN, KEY, (b"sec-websocket-extensions", extensions)))


def test_the_key_of_the_rfc_has_the_answer_of_the_rfc() -> None:
    """RFC 6455 §1.3; and another key after it has its own answer."""
    for key in (b"dGhlIHNhbXBsZSBub25jZQ==", KEY[1]):
        response = respond(head(*PLAIN, (KEY[0], key)))
        assert response.accepted
        assert response.data.startswith(b"HTTP/1.1 101 ")
        expected = accept_key(key.decode()).encode()
        assert b"Sec-WebSocket-Accept: %b\r\n" % expected in response.data
    assert handshake.accept_key(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@given(st.binary(min_size=16, max_size=16))
def test_accept_key_equals_the_librarys(raw_key: bytes) -> None:
    """For any sixteen bytes, whose base64 `is_key` accepts."""
    key = base64.b64encode(raw_key)

    assert handshake.is_key(key)
    assert handshake.accept_key(key) == accept_key(key.decode()).encode()


some_headers = st.lists(
    st.sampled_from(
        [
            *PLAIN,
            KEY,
            (b"upgrade", b"h2c"),
            (b"connection", b"keep-alive, Upgrade"),
            (b"connection", b"close"),
            (b"connection", b""),
            (b"sec-websocket-key", b"short"),
            (b"sec-websocket-key", b"\xff"),
            (b"sec-websocket-version", b"12"),
            (b"sec-websocket-protocol", b"pillowcast.v1, other"),
            (b"sec-websocket-protocol", b"other"),
            (b"sec-websocket-protocol", b""),
            (b"sec-websocket-extensions", b"permessage-deflate; client_max_window_bits"),
            (b"sec-websocket-extensions", b"permessage-deflate; server_max_window_bits=10"),
            (b"sec-websocket-extensions", b";;"),
            (b"sec-websocket-extensions", b""),
            (b"origin", b"http://x"),
            (b"content-length", b"0"),
            (b"content-length", b"3"),
            (b"transfer-encoding", b"chunked"),
            (b"x-other", b"\xff"),
        ]
    ),
    max_size=8,
)


@given(some_headers, st.sampled_from((b"/ws", b"/ws?pillow=a", b"/other")), st.booleans())
def test_a_cached_response_equals_the_librarys(
    headers: list[tuple[bytes, bytes]], target: bytes, with_plain: bool
) -> None:
    """Whatever is offered."""
    request = head(*(PLAIN if with_plain else ()), KEY, *headers, target=target)

    assert respond(request) == respond_by_library(request)


def test_the_subprotocol_is_selected_only_if_it_is_offered() -> None:
    """A client that offers none, or others, is accepted without."""
    ours = respond(head(*PLAIN, KEY, (b"sec-websocket-protocol", b"other, pillowcast.v1")))
    other = respond(head(*PLAIN, KEY, (b"sec-websocket-protocol", b"other")))

    assert b"Sec-WebSocket-Protocol: pillowcast.v1\r\n" in ours.data
    assert other.accepted
    assert b"Sec-WebSocket-Protocol" not in other.data


@pytest.mark.parametrize(
    ("offered", "negotiated"),
    [
        (b"permessage-deflate", True),
        (b"permessage-deflate; client_max_window_bits", True),
        (b"permessage-deflate; client_max_window_bits=9", True),
        (b"permessage-deflate; server_no_context_takeover; client_no_context_takeover", True),
        (b"permessage-deflate; server_max_window_bits=15", True),
        (b"permessage-deflate; server_max_window_bits=10", False),
        (b"permessage-deflate; server_max_window_bits=10, permessage-deflate", True),
        (b"permessage-deflate; unknown", False),
        (b"x-webkit-deflate-frame", False),
    ],
)
def test_deflate_is_negotiated_without_context_takeover_and_with_15_bits(
    offered: bytes, negotiated: bool
) -> None:
    """A smaller window is declined, because a frame is compressed once for all clients."""
    response = offer(offered)

    assert response.accepted
    assert response.deflate is negotiated
    for parameter in (b"server_no_context_takeover", b"client_no_context_takeover"):
        assert (parameter in response.data) is negotiated


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (head(*PLAIN, KEY, target=b"/elsewhere"), b"403"),
        (head(*PLAIN, KEY, method=b"POST"), b"405"),
        (head(*PLAIN, KEY, version="1.0"), b"505"),
        (head(*PLAIN, KEY, (b"content-length", b"1")), b"400"),
        (head(*PLAIN, KEY, (b"transfer-encoding", b"chunked")), b"400"),
        (head(*PLAIN), b"400"),
        (head(*PLAIN, KEY, KEY), b"400"),
        (head(*PLAIN, (KEY[0], b"c2hvcnQ=")), b"400"),
        (head(*PLAIN, (KEY[0], b"AQIDBAUGBwgJCgsMDQ4PEA")), b"400"),
        (head(*PLAIN[:3], KEY), b"400"),
        (head(*PLAIN[:3], KEY, (b"sec-websocket-version", b"8")), b"400"),
        (head(*PLAIN[:2], *PLAIN[3:], KEY), b"426"),
        (head(*PLAIN, KEY, *((b"x-%d" % n, b"") for n in range(200))), b"431"),
    ],
    ids=[
        "path", "method", "HTTP/1.0", "body", "chunked body", "no key", "two keys", "short key",
        "unpadded key", "no version", "old version", "no Connection",
        "200 headers",
    ],
)  # fmt: skip
def test_an_invalid_handshake_is_refused_with_its_status(
    request_head: RequestHead, status: bytes
) -> None:
    """RFC 6455 §4.2.1; the connection ends with the response."""
    response = respond(request_head)

    assert not response.accepted
    assert response.data.startswith(b"HTTP/1.1 %b " % status)
    assert b"\r\ncontent-type: application/problem+json\r\n" in response.data
    assert b"\r\nDate: " not in response.data


def test_a_handshake_by_another_method_is_told_the_allowed_one() -> None:
    """RFC 9110 §15.5.6."""
    assert b"\r\nallow: GET\r\n" in respond(head(*PLAIN, KEY, method=b"POST")).data


def test_a_request_line_of_71_kb_is_accepted() -> None:
    """The library's parser, which stops at 8 KiB, is not used."""
    target = b"/ws?" + b"&".join(b"pillow=%04d" % n + b"x" * 59 for n in range(1000))

    assert respond(head(*PLAIN, KEY, target=target)).accepted


def test_different_offers_are_cached_up_to_a_limit() -> None:
    """A client that sends a new one each time is answered all the same."""
    for number in range(600):
        assert respond(head(*PLAIN, KEY, (b"sec-websocket-protocol", b"p%d" % number))).accepted
    info = handshake._negotiate_offer.cache_info()

    assert info.maxsize is not None
    assert info.currsize <= info.maxsize


def test_an_offer_above_1024_bytes_is_not_cached() -> None:
    """It is answered by the library."""
    before = handshake._negotiate_offer.cache_info().currsize
    assert respond(head(*PLAIN, KEY, (b"sec-websocket-protocol", b"p" * 5000))).accepted

    assert handshake._negotiate_offer.cache_info().currsize == before
