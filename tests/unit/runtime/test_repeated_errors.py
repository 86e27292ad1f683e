"""Errors of libraries: once with a traceback, then their count."""

import logging

import pytest

from runtime.log_once import MAX_KEYS
from runtime.repeated_errors import RepeatedErrors


def record(error: BaseException, name: str = "uvicorn.error") -> logging.LogRecord:
    """Return what a library logs of an error."""
    info = (type(error), error, error.__traceback__)
    return logging.LogRecord(name, logging.ERROR, __file__, 1, "failed %s", ("so",), info)


def raised(error: Exception) -> Exception:
    """Return an error with a traceback."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def test_an_error_that_repeats_is_logged_at_powers_of_ten() -> None:
    """Whatever it quotes; the first has the traceback."""
    repeated = RepeatedErrors()
    records = [record(raised(ValueError(str(number)))) for number in range(1000)]

    passed = [one for one in records if repeated.filter(one)]

    assert [one.exc_info is not None for one in passed] == [True, False, False, False]
    assert passed[0].getMessage() == "failed so"
    assert passed[3].getMessage().startswith("failed so (1000 times; at test_repeated_errors.py:")


def test_other_types_loggers_and_lines_without_an_error_pass() -> None:
    """Each kind has a count of its own."""
    repeated = RepeatedErrors()
    plain = logging.LogRecord("uvicorn.error", logging.ERROR, __file__, 1, "plain", (), None)

    assert repeated.filter(record(raised(ValueError())))
    assert repeated.filter(record(raised(KeyError())))
    assert repeated.filter(record(raised(ValueError()), "asyncio"))
    assert all(repeated.filter(plain) for _ in range(5))


def test_no_more_than_max_keys_are_remembered() -> None:
    """Further kinds share a count."""
    repeated = RepeatedErrors()
    passed = [
        repeated.filter(record(raised(ValueError()), f"logger-{number}"))
        for number in range(MAX_KEYS + 50)
    ]
    assert sum(passed) == MAX_KEYS + 2
