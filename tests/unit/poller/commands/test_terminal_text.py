"""Text for a terminal: nothing invisible, Base64 decoded, ages in one unit."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.commands.terminal_text import decode_base64, format_age, printable


@given(st.text())
def test_only_printable_characters_remain(text: str) -> None:
    """Escape sequences, bells, newlines and changes of writing direction are escaped."""
    safe = printable(text)

    assert safe.isprintable()
    assert printable(safe) == safe
    if text.isprintable():
        assert safe == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("txt.\u202egnp", "txt.\\u202egnp"),
        ("雲 ☁ 🌥", "雲 ☁ 🌥"),
    ],
)
def test_an_escaped_character_is_written_as_in_python(text: str, shown: str) -> None:
    """So that it can be recognised."""
    assert printable(text) == shown


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
