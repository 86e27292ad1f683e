"""Lines that are written once."""

from runtime.log_once import MAX_KEYS, LogOnce


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
