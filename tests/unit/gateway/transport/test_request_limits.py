"""How much one request may have before work is spent on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.frames import MAX_SUBSCRIBED
from gateway.transport.request_limits import (
    MAX_ESCAPES,
    MAX_OFFER_BYTES,
    MAX_OFFERED,
    MAX_STREAM_TARGET_BYTES,
    MAX_TARGET_BYTES,
    MAX_VALUE_BYTES,
    HeaderCount,
    Overrun,
    RequestLimits,
    check_offer,
    check_query,
    check_target,
)

LIMITS = RequestLimits(header_bytes=20_000, headers=100, query_fields=10)


@pytest.mark.parametrize(
    ("path", "size"),
    [
        (b"/ws?", MAX_STREAM_TARGET_BYTES),
        (b"/events?", MAX_STREAM_TARGET_BYTES),
        (b"//ws?", MAX_STREAM_TARGET_BYTES),
        (b"http://x/events?", MAX_STREAM_TARGET_BYTES),
        (b"/", MAX_TARGET_BYTES),
        (b"/wsx?", MAX_TARGET_BYTES),
        (b"/ws/", MAX_TARGET_BYTES),
        (b"/x?/ws?", MAX_TARGET_BYTES),
        (b"http://x/?/events?", MAX_TARGET_BYTES),
    ],
)
def test_a_target_is_limited_and_that_of_a_stream_may_name_all_pillows(
    path: bytes, size: int
) -> None:
    """Also while only a part of it has arrived."""
    check_target(path.ljust(size, b"a"))
    with pytest.raises(Overrun, match=str(size)) as raised:
        check_target(bytearray(path.ljust(size + 1, b"a")))
    assert (raised.value.status, raised.value.limit) == (414, "target")


def test_a_query_may_name_as_many_pillows_as_a_subscription() -> None:
    """Each of the longest name, with a cursor and a token beside them."""
    query = "&".join(f"pillow={number:063}" for number in range(MAX_SUBSCRIBED))

    check_query(f"{query}&since=a%3A1".encode(), RequestLimits())
    check_target(f"/ws?{query}&since=a%3A1".encode())


@given(st.binary(max_size=300).map(lambda text: text.replace(b"%", b"")))
def test_the_fields_of_a_query_are_counted_before_they_are_parsed(query: bytes) -> None:
    """Empty ones as well, because they cost as much."""
    if query.count(b"&") < LIMITS.query_fields:
        check_query(query, LIMITS)
    else:
        with pytest.raises(Overrun, match="name at most") as raised:
            check_query(query, LIMITS)
        assert (raised.value.status, raised.value.limit) == (400, "query-fields")


def test_the_escapes_of_a_query_are_limited() -> None:
    """Each costs a step when it is decoded."""
    check_query(b"%41" * MAX_ESCAPES, LIMITS)
    with pytest.raises(Overrun) as raised:
        check_query(b"%41" * (MAX_ESCAPES + 1), LIMITS)
    assert (raised.value.status, raised.value.limit) == (400, "query-escapes")


headers = st.lists(
    st.tuples(st.binary(max_size=40), st.sampled_from([b"", b"x" * 300, b"x" * MAX_VALUE_BYTES])),
    max_size=120,
)


@given(headers)
def test_headers_are_limited_in_number_and_together(added: list[tuple[bytes, bytes]]) -> None:
    """The first header above a limit is refused, whichever it is."""
    count, size = HeaderCount(LIMITS), 0
    for number, (name, value) in enumerate(added, 1):
        size += len(name) + len(value)
        if number > LIMITS.headers or size > LIMITS.header_bytes:
            with pytest.raises(Overrun) as raised:
                count.add(name, value)
            assert raised.value.status == 431
            assert raised.value.limit in ("headers", "header-bytes")
            return
        count.add(name, value)


def test_one_value_is_limited() -> None:
    """Below the limit of all headers together."""
    with pytest.raises(Overrun) as raised:
        HeaderCount(LIMITS).add(b"cookie", b"x" * (MAX_VALUE_BYTES + 1))
    assert (raised.value.status, raised.value.limit) == (431, "header-value")


@pytest.mark.parametrize(
    "name", [b"connection", b"upgrade", b"sec-websocket-extensions", b"sec-websocket-protocol"]
)
def test_what_a_handshake_offers_is_limited(name: bytes) -> None:
    """In one header or in many; a long token among the subprotocols is no long offer."""
    check_offer([(name, b"," * (MAX_OFFERED - 1))])
    check_offer([(b"sec-websocket-protocol", b"bearer." + b"x" * 8000), (b"cookie", b"," * 9000)])
    for offered in ([(name, b"," * MAX_OFFER_BYTES + b"x")], [(name, b",,,,")] * 300):
        with pytest.raises(Overrun) as raised:
            check_offer(offered)
        assert (raised.value.status, raised.value.limit) == (431, "offer")
