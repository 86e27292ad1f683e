"""The number of clients on MQTT: what is no plain number is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.watching import MAX_WATCHING, decode_watching, encode_watching


@given(st.integers(0, MAX_WATCHING))
def test_a_number_is_read_as_it_was_written(clients: int) -> None:
    """Up to more clients than any gateway has."""
    assert decode_watching(encode_watching(clients)) == clients


@given(st.integers(min_value=MAX_WATCHING))
def test_a_larger_number_is_written_as_the_largest(clients: int) -> None:
    """So that every number that is written can be read."""
    assert decode_watching(encode_watching(clients)) == MAX_WATCHING


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b" ", b"-1", b"+1", b"1 ", b"1\n", b"1.0", b"1e3", b"1e400", b"01", b"10000000"),
        *(b"9" * 400, b"9" * 1_000_000, b"nan", b"true", b"many", b"1\x00", b"\xff", b"null"),
        *("٣".encode(), "１".encode(), b"0x10", b"1_0"),
    ],
)
def test_anything_else_is_no_number(payload: bytes) -> None:
    """Negative, huge, a text, or another way to write one."""
    assert decode_watching(payload) is None


@given(st.binary(max_size=12))
def test_any_bytes_are_a_number_within_the_bounds_or_none(payload: bytes) -> None:
    """Never an exception."""
    clients = decode_watching(payload)

    assert clients is None or (0 <= clients <= MAX_WATCHING and b"%d" % clients == payload)
