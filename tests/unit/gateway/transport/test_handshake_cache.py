"""The handshake cache beside the parser and the negotiation that it spares."""

import base64
import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.utils import accept_key

from gateway.transport import handshake_cache
from gateway.transport.handshake import KEY, SAMPLE_KEY, respond
from gateway.transport.handshake_cache import parse_cached
from gateway.transport.request_checks import head_error_of
from gateway.transport.request_limits import DEFAULT_LIMITS, RequestLimits
from gateway.transport.request_parser import RequestEnd, RequestHead, RequestParser
from tests.gateway import handshake, request

OTHER_KEY = b"AQIDBAUGBwgJCgsMDQ4PEA=="
LINE = b"Sec-WebSocket-Key: %b\r\n" % SAMPLE_KEY
WITHOUT_KEY = handshake().replace(LINE, b"")

CACHED = {
    "plain": handshake(),
    "another key": handshake().replace(SAMPLE_KEY, OTHER_KEY),
    "a pillow": handshake("/ws?pillow=cloud-1"),
    "an invalid pillow": handshake("/ws?pillow=%20"),
    "compression": handshake("/ws", "Sec-WebSocket-Extensions: permessage-deflate"),
    "a subprotocol": handshake("/ws", "Sec-WebSocket-Protocol: other, pillowcast.v1"),
    "a foreign origin": handshake("/ws", "Origin: http://elsewhere"),
    "the key first": WITHOUT_KEY.replace(b"\r\n", b"\r\n%b" % LINE, 1),
    "the key last": WITHOUT_KEY[:-2] + LINE + b"\r\n",
    "an empty body": handshake("/ws", "Content-Length: 0"),
}
NOT_CACHED = {
    "a key in lower case": handshake().replace(b"Sec-WebSocket-Key", b"sec-websocket-key"),
    "an invalid key": handshake().replace(SAMPLE_KEY, b"short"),
    "no key": WITHOUT_KEY,
    "two keys": handshake("/ws", "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA=="),
    "an old version": handshake().replace(b"Version: 13", b"Version: 12"),
    "no upgrade": handshake().replace(b"Upgrade: websocket\r\n", b""),
    "a long header": handshake("/ws", f"Cookie: {'c' * 6000}"),
    "many headers": handshake("/ws", *(f"X-{number}: 1" for number in range(100))),
    "more subprotocols than may be offered": handshake(
        "/ws", f"Sec-WebSocket-Protocol: {', '.join(f'p{number}' for number in range(17))}"
    ),
    "a body": handshake("/ws", "Content-Length: 1") + b"x",
    "a frame behind it": handshake() + b"\x81\x80\0\0\0\0",
    "no host": handshake().replace(b"Host: localhost\r\n", b""),
    "two hosts": handshake("/ws", "Host: y"),
    "another path": handshake("/wss"),
    "another method": handshake(method="POST"),
    "an event stream": request("/events"),
    "half a request": handshake()[:60],
    "HTTP/1.0": handshake().replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a control character": handshake("/ws", "X: \x01"),
    "a folded header": handshake("/ws", "X: 1\r\n 2"),
    "nothing but a request line": b"GET /ws HTTP/1.1\r\n\r\n",
}


def by_parser(data: bytes) -> tuple[bytes, dict[bytes, bytes], Any] | None:
    """What the full path makes of a whole request; None if it is not one accepted handshake."""
    events = RequestParser().feed(data)
    if not events or not isinstance(events[0], RequestHead) or events[1:] != [RequestEnd()]:
        return None
    head, response = events[0], respond(events[0])
    if not head.wants_websocket or not response.accepted or head_error_of(head, DEFAULT_LIMITS):
        return None
    return head.target.partition(b"?")[2], {**head.fields, KEY: b""}, response


def by_cache(data: bytes) -> tuple[bytes, dict[bytes, bytes], Any] | None:
    """The same of the cache."""
    cached = parse_cached(data)
    return cached and (cached.query, {**cached.fields, KEY: b""}, cached.response)


@pytest.mark.parametrize("data", CACHED.values(), ids=CACHED.keys())
def test_a_cached_handshake_equals_a_parsed_one(data: bytes) -> None:
    """At the first time and at the next."""
    for _ in range(2):
        found = by_cache(data)
        assert found is not None
        assert found == by_parser(data)


@pytest.mark.parametrize("data", NOT_CACHED.values(), ids=NOT_CACHED.keys())
def test_an_unusual_handshake_is_left_to_the_parser(data: bytes) -> None:
    """Whether it is accepted then or not."""
    assert by_cache(data) is None


mutations = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 3), st.binary(max_size=4)), max_size=4
)


@given(st.sampled_from([*CACHED.values(), *NOT_CACHED.values()]), mutations)
@example(CACHED["plain"], [])
def test_the_cache_never_differs_from_the_parser(
    data: bytes, changes: list[tuple[int, int, bytes]]
) -> None:
    """For requests with any bytes removed, replaced or inserted."""
    for at, removed, inserted in changes:
        at %= len(data) + 1
        data = data[:at] + inserted + data[at + removed :]

    found = by_cache(data)

    assert found is None or found == by_parser(data)


queries = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)


@given(queries)
def test_any_query_is_read_as_by_the_parser(query: str) -> None:
    """It is the only part beside the key that is not parsed by httptools."""
    data = handshake(f"/ws?{query}")

    found = by_cache(data)

    assert found is None or found == by_parser(data)


def test_the_limits_of_the_settings_hold_for_a_handshake_that_is_cached() -> None:
    """With 128 headers allowed it is cached."""
    data = handshake("/ws", *(f"X-{number}: 1" for number in range(20)))

    assert parse_cached(data) is not None
    assert parse_cached(data, RequestLimits(headers=10)) is None


def test_each_handshake_has_the_answer_to_its_own_key() -> None:
    """Though everything else is cached."""
    for number in range(20):
        key = base64.b64encode(number.to_bytes(16))
        cached = parse_cached(handshake().replace(SAMPLE_KEY, key))
        assert cached is not None
        accepted = accept_key(key.decode()).encode()
        assert b"Sec-WebSocket-Accept: %b\r\n" % accepted in cached.response.data


def test_handshakes_that_differ_in_key_and_query_share_one_entry() -> None:
    """As those of one kind of client do."""
    before = handshake_cache._template.cache_info()
    for number in range(5):
        key = base64.b64encode(number.to_bytes(16))
        parse_cached(handshake(f"/ws?since=a:{number}").replace(SAMPLE_KEY, key))
    after = handshake_cache._template.cache_info()

    assert after.hits + after.misses - before.hits - before.misses == 5
    assert after.misses - before.misses <= 1


def test_the_cache_takes_8_mib_at_most() -> None:
    """With handshakes that differ on purpose, in as many and as short headers as are cached."""
    tracemalloc.start()
    try:
        for number in range(600):
            lines = [f"a{line}:" for line in range(50)] + [f"X: {number}{'x' * 3000}"]
            assert parse_cached(handshake("/ws", *lines)) is not None
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        handshake_cache._template.cache_clear()

    assert kept < 8 * 2**20
