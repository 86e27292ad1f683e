"""Text for people: nothing invisible in it, and nothing that controls a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.printable_text import on_one_line, printable


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


def test_characters_that_are_kept_stay() -> None:
    assert printable("a\nb\x07", keep="\n") == "a\nb\\x07"


@given(st.text())
def test_a_text_on_one_line_is_printable(text: str) -> None:
    line = on_one_line(text)

    assert line.isprintable()
    assert len(line) <= len(text)


def test_blanks_become_one_and_what_is_invisible_a_question_mark() -> None:
    assert on_one_line(" a \r\n\t b\x1bc ") == "a b?c"
