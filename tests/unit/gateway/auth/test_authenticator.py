"""Where a token is in a request's headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.auth.authenticator import token_in


@pytest.mark.parametrize(
    ("fields", "token"),
    [
        ({}, None),
        ({b"authorization": b"Bearer a.b.c"}, "a.b.c"),
        ({b"authorization": b"bEARER   a.b.c "}, "a.b.c"),
        ({b"authorization": b"Basic a.b.c"}, None),
        ({b"authorization": b"Bearer"}, None),
        ({b"sec-websocket-protocol": b"pillowcast.v1, bearer.a.b.c"}, "a.b.c"),
        ({b"sec-websocket-protocol": b"pillowcast.v1,xbearer.a"}, None),
        ({b"sec-websocket-protocol": b"bearer."}, ""),
        (
            {b"authorization": b"Bearer one", b"sec-websocket-protocol": b"bearer.two"},
            "one",
        ),
    ],
)
def test_the_token_of_a_request(fields: dict[bytes, bytes], token: str | None) -> None:
    assert token_in(fields) == token


@given(st.dictionaries(st.sampled_from([b"authorization", b"sec-websocket-protocol"]), st.binary()))
def test_no_header_raises(fields: dict[bytes, bytes]) -> None:
    token_in(fields)
