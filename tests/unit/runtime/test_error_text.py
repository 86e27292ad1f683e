"""Errors in logs."""

import pytest

from runtime.error_text import MAX_ERROR_CHARACTERS, brief_error, place_of


def test_an_error_is_one_line_of_bounded_length() -> None:
    """It may quote what somebody sent."""
    assert brief_error(ValueError("a\nb\x1b[0m")) == "ValueError: a b?[0m"
    assert brief_error(KeyError()) == "KeyError"
    assert len(brief_error(ValueError("9" * 10**6))) == MAX_ERROR_CHARACTERS


def test_the_place_of_an_error_is_where_it_was_raised() -> None:
    """So errors of one cause have one place, whatever they quote."""

    def fail() -> None:
        raise ValueError

    with pytest.raises(ValueError) as caught:  # noqa: PT011 - of the function above
        fail()

    assert place_of(caught.value).startswith("test_error_text.py:")
    assert place_of(caught.value).endswith(" fail")
    assert place_of(ValueError()) == "unknown"
