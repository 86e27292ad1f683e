"""Errors of libraries: once with a traceback, then seldom with their number."""

import logging

import pytest

from runtime import log_repeats
from runtime.log_repeats import MAX_KEYS, REPEAT_S
from runtime.repeated_errors import RepeatedErrors
from tests.fakes.time import Time


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The monotonic clock, which stands still."""
    clock = Time()
    monkeypatch.setattr(log_repeats, "monotonic_s", clock)
    return clock


def record(
    error: BaseException | None, name: str = "uvicorn.error", level: int = logging.ERROR
) -> logging.LogRecord:
    """Return what a library logs of an error."""
    info = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord(name, level, __file__, 1, "failed %s", ("so",), info)


def raised(error: Exception) -> Exception:
    """Return an error with a traceback."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def test_an_error_that_repeats_is_logged_seldom_with_its_number(time: Time) -> None:
    """Whatever it quotes; the first has the traceback."""
    repeated = RepeatedErrors()
    records = [record(raised(ValueError(str(number)))) for number in range(1001)]

    passed = [one for one in records[:1000] if repeated.filter(one)]
    time.now_s += REPEAT_S
    passed += [one for one in records[1000:] if repeated.filter(one)]

    assert [one.exc_info is not None for one in passed] == [True, False]
    assert passed[0].getMessage() == "failed so"
    assert passed[1].getMessage().startswith("failed so (999 more like it, at test_repeated")


def test_a_warning_without_an_error_is_limited_by_its_text(time: Time) -> None:
    """asyncio warns of each write to a socket that is gone."""
    repeated = RepeatedErrors()
    passed = [one for one in (record(None) for _ in range(50)) if repeated.filter(one)]
    time.now_s += REPEAT_S
    last = record(None)

    assert len(passed) == 1
    assert repeated.filter(last)
    assert last.getMessage() == "failed so (49 more like it)"


def test_other_kinds_lines_below_a_warning_and_own_lines_pass(time: Time) -> None:
    """Each kind has a number of its own; who asks for debug lines gets them all."""
    repeated = RepeatedErrors()
    own = logging.LogRecord("poller", logging.ERROR, __file__, 1, {"event": "so"}, (), None)

    assert repeated.filter(record(raised(ValueError())))
    assert repeated.filter(record(raised(KeyError())))
    assert repeated.filter(record(raised(ValueError()), "asyncio"))
    assert all(repeated.filter(record(None, level=logging.INFO)) for _ in range(5))
    assert all(repeated.filter(own) for _ in range(5))


def test_no_more_than_max_keys_are_remembered(time: Time) -> None:
    """Further kinds share a line."""
    repeated = RepeatedErrors()
    passed = [
        repeated.filter(record(raised(ValueError()), f"logger-{number}"))
        for number in range(MAX_KEYS + 50)
    ]
    assert sum(passed) == MAX_KEYS + 1
