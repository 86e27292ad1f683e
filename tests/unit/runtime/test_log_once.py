"""Lines that are written once."""

import pytest

from runtime.log_once import MAX_ERROR_CHARACTERS, MAX_KEYS, LogOnce, brief_error, place_of


def test_a_line_is_written_once_for_each_key_of_each_event() -> None:
    """Other keys and other events have lines of their own."""
    log_once = LogOnce()

    assert [log_once.is_first("behind", "a") for _ in range(3)] == [True, False, False]
    assert log_once.is_first("behind", "b")
    assert log_once.is_first("refused", "a")
    assert [log_once.is_first("forgotten") for _ in range(3)] == [True, False, False]


def test_what_is_over_may_begin_again() -> None:
    """Only what was written has an end."""
    log_once = LogOnce()

    assert not log_once.is_over("refused", "a")
    log_once.is_first("refused", "a")
    assert [log_once.is_over("refused", "a") for _ in range(2)] == [True, False]
    assert log_once.is_first("refused", "a")


def test_no_more_than_max_keys_are_remembered() -> None:
    """Made-up ids fill neither the memory nor the log."""
    log_once = LogOnce()

    written = [log_once.is_first("behind", f"p{number}") for number in range(3 * MAX_KEYS)]

    assert sum(written) == MAX_KEYS
    assert not log_once.is_first("behind", "p0")
    assert not log_once.is_first("behind", f"p{3 * MAX_KEYS}")


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

    assert place_of(caught.value).startswith("test_log_once.py:")
    assert place_of(caught.value).endswith(" fail")
    assert place_of(ValueError()) == "unknown"
