"""Cursors: `<epoch>:<offset>`, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.cursors import Cursor, parse_cursor
from tests.unit.contract.strategies import any_text

cursors = st.builds(
    Cursor, st.from_regex(r"[a-z0-9]{1,32}", fullmatch=True), st.integers(0, 10**18 - 1)
)


@given(cursors)
def test_parsing_is_the_inverse_of_formatting(cursor: Cursor) -> None:
    """A browser keeps the text."""
    assert parse_cursor(str(cursor)) == cursor


@given(any_text | st.from_regex(r"[a-zA-Z0-9:٣ -]{0,60}", fullmatch=True))
def test_any_text_gives_a_cursor_or_none(text: str) -> None:
    """Never an exception, because it comes from a URL."""
    cursor = parse_cursor(text)

    assert cursor is None or (cursor.epoch, int(cursor.offset)) == (
        text.partition(":")[0],
        int(text.partition(":")[2]),
    )


@pytest.mark.parametrize(
    "text",
    ["", ":", "k3f9", "k3f9:", ":118", "k3f9:-1", "k3f9:1.5", "K3F9:1", "k3f9:1:2", "k3f9: 1",
     "k3f9:1\n", "k3f9:٣", "x" * 33 + ":1", "k3f9:" + "9" * 19],
)  # fmt: skip
def test_an_invalid_cursor_is_none(text: str) -> None:
    """The gateway then sends a complete snapshot."""
    assert parse_cursor(text) is None
