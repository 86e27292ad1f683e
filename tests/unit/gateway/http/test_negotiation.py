"""Headers that assets depend on: a long list costs nothing."""

import time

from hypothesis import given
from hypothesis import strategies as st

from gateway.http.negotiation import MAX_LIST_CHARS, accepts_gzip, etag_matches


@given(st.text(st.sampled_from(", ;q=0.gzip*x"), max_size=2 * MAX_LIST_CHARS))
def test_a_long_list_is_not_read(value: str) -> None:
    """The answer is then the file as it is, which every client can read."""
    accepted, matched = accepts_gzip(value), etag_matches(value, '"tag"')

    if len(value) > MAX_LIST_CHARS:
        assert not accepted
        assert not matched


def test_commas_take_no_time() -> None:
    """128 KiB of them took 60 ms."""
    began_s = time.process_time()
    for _ in range(100):
        accepts_gzip("," * 131_072)
        etag_matches("," * 131_072, '"tag"')

    assert time.process_time() - began_s < 0.1
