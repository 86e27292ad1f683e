"""Text for a terminal: Base64 decoded, ages in one unit."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.commands.terminal_text import decode_base64, format_age


@given(st.text(st.characters(codec="utf-8"), min_size=6))
def test_base64_in_several_lines_is_decoded(text: str) -> None:
    """Some encoders break lines."""
    assert decode_base64(base64.encodebytes(text.encode()).decode()) == text


@given(st.text() | st.binary().map(lambda some: base64.b64encode(some).decode()))
def test_decoding_any_text_returns_its_content_or_none(text: str) -> None:
    """It raises nothing."""
    decoded = decode_base64(text)
    assert decoded is None or base64.b64decode("".join(text.split())).decode() == decoded


@pytest.mark.parametrize("word", ["spin", "test1234", "HUGGING", "neutrals"])
def test_a_word_is_not_decoded_as_base64(word: str) -> None:
    """Although its letters are valid Base64."""
    assert decode_base64(word) is None


@pytest.mark.parametrize(
    ("seconds", "formatted"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (172_799, "1 d")],
)
def test_an_age_is_formatted_in_its_largest_whole_unit(seconds: int, formatted: str) -> None:
    """Rounded down."""
    assert format_age(seconds) == formatted
