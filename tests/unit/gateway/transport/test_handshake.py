"""The answer to a handshake, beside the library's own for the same request."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.utils import accept_key

from gateway.transport import handshake
from gateway.transport.handshake import Answer, answer

KEY = (b"sec-websocket-key", b"AQIDBAUGBwgJCgsMDQ4PEA==")
PLAIN = [
    (b"host", b"x"),
    (b"upgrade", b"websocket"),
    (b"connection", b"Upgrade"),
    (b"sec-websocket-version", b"13"),
]


def ask(*headers: tuple[bytes, bytes], target: bytes = b"/ws", method: bytes = b"GET") -> Answer:
    return answer(method, target, "1.1", headers, dict(headers))


def offer(extensions: bytes) -> Answer:
    return ask(*PLAIN, KEY, (b"sec-websocket-extensions", extensions))


def test_the_key_is_answered() -> None:
    """The example of RFC 6455 §1.3, and another key right after it."""
    for key in (b"dGhlIHNhbXBsZSBub25jZQ==", KEY[1]):
        got = ask(*PLAIN, (KEY[0], key))
        assert got.accepted
        assert got.data.startswith(b"HTTP/1.1 101 ")
        assert b"Sec-WebSocket-Accept: %b\r\n" % accept_key(key.decode()).encode() in got.data
    assert (
        b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in ask(*PLAIN, (KEY[0], b"dGhlIHNhbXBsZSBub25jZQ==")).data
    )


@given(st.binary(min_size=16, max_size=16))
def test_every_key_is_answered_as_by_the_library(key: bytes) -> None:
    """And looks like one."""
    said = base64.b64encode(key)

    assert handshake.is_key(said)
    assert handshake.accept(said) == accept_key(said.decode()).encode()


headers = st.lists(
    st.sampled_from(
        [
            *PLAIN,
            KEY,
            (b"upgrade", b"h2c"),
            (b"connection", b"keep-alive, Upgrade"),
            (b"connection", b"close"),
            (b"sec-websocket-key", b"short"),
            (b"sec-websocket-key", b"\xff"),
            (b"sec-websocket-version", b"12"),
            (b"sec-websocket-protocol", b"pillowcast.v1, other"),
            (b"sec-websocket-protocol", b"other"),
            (b"sec-websocket-extensions", b"permessage-deflate; client_max_window_bits"),
            (b"sec-websocket-extensions", b"permessage-deflate; server_max_window_bits=10"),
            (b"sec-websocket-extensions", b";;"),
            (b"origin", b"http://x"),
            (b"content-length", b"3"),
            (b"transfer-encoding", b"chunked"),
            (b"x-other", b"\xff"),
        ]
    ),
    max_size=8,
)


@given(headers, st.sampled_from((b"/ws", b"/ws?pillow=a", b"/other")), st.booleans())
def test_a_kept_answer_is_the_librarys(
    given: list[tuple[bytes, bytes]], target: bytes, with_plain: bool
) -> None:
    """Whatever is offered: asking the library whole gives the same bytes."""
    given = [*(PLAIN if with_plain else ()), KEY, *given]

    assert answer(b"GET", target, "1.1", given, dict(given)) == handshake._answer(
        b"GET", target, "1.1", given
    )


def test_our_subprotocol_is_taken_when_it_is_offered() -> None:
    """And none where it is not."""
    ours = ask(*PLAIN, KEY, (b"sec-websocket-protocol", b"other, pillowcast.v1"))
    other = ask(*PLAIN, KEY, (b"sec-websocket-protocol", b"other"))

    assert b"Sec-WebSocket-Protocol: pillowcast.v1\r\n" in ours.data
    assert other.accepted
    assert b"Sec-WebSocket-Protocol" not in other.data


@pytest.mark.parametrize(
    ("offered", "agreed"),
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
def test_compression_is_agreed_without_context_takeover(offered: bytes, agreed: bool) -> None:
    """On both sides; with the window that shared frames have, or not at all."""
    got = offer(offered)

    assert got.accepted
    assert got.deflate is agreed
    for parameter in (b"server_no_context_takeover", b"client_no_context_takeover"):
        assert (parameter in got.data) is agreed


def test_another_path_has_no_websocket() -> None:
    """Said in HTTP."""
    got = ask(*PLAIN, KEY, target=b"/elsewhere")

    assert not got.accepted
    assert got.data.startswith(b"HTTP/1.1 403 ")


def test_many_different_offers_fill_no_memory() -> None:
    """Who invents a new one each time is answered all the same."""
    for number in range(600):
        got = ask(*PLAIN, KEY, (b"sec-websocket-protocol", b"p%d" % number))
        assert got.accepted
    info = handshake._agreed.cache_info()

    assert info.maxsize is not None
    assert info.currsize <= info.maxsize


def test_a_long_offer_is_not_kept() -> None:
    """It is answered, once."""
    before = handshake._agreed.cache_info().currsize
    assert ask(*PLAIN, KEY, (b"sec-websocket-protocol", b"p" * 5000)).accepted

    assert handshake._agreed.cache_info().currsize == before
