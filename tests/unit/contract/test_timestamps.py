"""Timestamps: RFC 3339 text to microseconds and back; any other text is none."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.timestamps import format_timestamp, is_utc_text, parse_timestamp
from tests.unit.contract.strategies import any_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


@given(st.integers(FIRST, LAST))
def test_parsing_is_the_inverse_of_formatting_in_the_years_1_to_9999(microseconds: int) -> None:
    """In the form of `at` in a state."""
    text = format_timestamp(microseconds)

    assert parse_timestamp(text) == microseconds
    assert is_utc_text(text)


@given(st.integers(FIRST // 1000 + 1, LAST // 1000 - 1))
def test_whole_milliseconds_have_three_decimals(milliseconds: int) -> None:
    """A browser's clock has no more."""
    assert len(format_timestamp(milliseconds * 1000)) == len("2025-11-22T06:00:00.000Z")


@given(st.integers(-(2**80), FIRST - 1) | st.integers(LAST + 1, 2**80))
def test_formatting_a_time_outside_the_calendar_raises_overflow_error(microseconds: int) -> None:
    """Callers handle it."""
    with pytest.raises(OverflowError):
        format_timestamp(microseconds)


@given(st.datetimes(), st.integers(-23 * 60, 23 * 60))
def test_an_offset_is_applied(moment: datetime, minutes: int) -> None:
    """The same time in every time zone."""
    sign = "-" if minutes < 0 else "+"
    offset = f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    expected = (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(
        microseconds=1
    ) - minutes * 60_000_000

    assert parse_timestamp(moment.isoformat() + offset) == expected


@given(any_text | st.from_regex(r"[0-9٠-٩+:.TZtz -]{0,40}", fullmatch=True))
def test_any_text_gives_a_time_or_none(text: str) -> None:
    """Never an exception."""
    microseconds = parse_timestamp(text)

    assert microseconds is None or isinstance(microseconds, int)


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("2025-11-22t06:00:00z", "2025-11-22T06:00:00.000Z"),
        ("2025-11-22 06:00:00Z", "2025-11-22T06:00:00.000Z"),
        ("2025-11-22T06:00:00.1Z", "2025-11-22T06:00:00.100Z"),
        ("2025-11-22T06:00:00.123456789Z", "2025-11-22T06:00:00.123457Z"),
        ("2025-11-22T06:00:00-00:00", "2025-11-22T06:00:00.000Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
    ],
)
def test_every_form_of_rfc_3339_is_parsed(text: str, same_as: str) -> None:
    """Letter case, offsets, decimals, and a space instead of `T`."""
    microseconds = parse_timestamp(text)

    assert microseconds is not None
    assert format_timestamp(microseconds) == same_as


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1763791200",
        "2025-11-22",
        "2025-11-22T06:00:00",
        "2025-11-22T06:00Z",
        "2025-02-30T06:00:00Z",
        "2025-13-01T06:00:00Z",
        "2025-11-22T24:00:00Z",
        "2025-11-22T06:00:60Z",
        "2025-11-22T06:00:00.Z",
        "2025-11-22T06:00:00+24:00",
        "0000-01-01T00:00:00Z",
        "٢٠٢٥-11-22T06:00:00Z",
        "2025-11-22T06:00:00Z\n",
        " 2025-11-22T06:00:00Z",
        "\ud800",
    ],
)
def test_an_invalid_time_is_none(text: str) -> None:
    """Also a leap second, which Python cannot represent."""
    assert parse_timestamp(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-11-22T06:00:00Z", True),
        ("2025-11-22T06:00:00.123456789Z", True),
        ("2025-11-22T06:00:00.1234567891Z", False),
        ("2025-11-22T06:00:00z", False),
        ("2025-11-22 06:00:00Z", False),
        ("2025-11-22T06:00:00+00:00", False),
        ("2025-11-22T06:00:00Z\n", False),
    ],
)
def test_only_upper_case_utc_needs_no_formatting(text: str, expected: bool) -> None:
    """Any other form is formatted anew."""
    assert is_utc_text(text) == expected
