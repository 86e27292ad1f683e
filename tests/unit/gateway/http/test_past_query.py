"""What queries of the past have in common."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.timestamps import format_timestamp
from gateway.http.past_query import FIRST_US, LAST_US, parse_instant, parse_number


@given(st.text(max_size=40))
def test_numbers_are_understood_or_not(text: str) -> None:
    """Never an error."""
    number = parse_number(text, 7, 366)
    assert number is None or 1 <= number <= 366


def test_defaults() -> None:
    """Of a query without the number."""
    assert parse_number(None, 7, 366) == 7


@pytest.mark.parametrize("zeros", [8, 9, 30])
def test_a_number_with_zeros_in_front_is_held_to_the_maximum(zeros: int) -> None:
    """All of its digits count."""
    assert parse_number("0" * zeros + "1999", 7, 366) is None
    assert parse_number("9" * 5000, 7, 366) is None
    assert parse_number("007", 1, 366) == 7


def test_an_instant_is_one_that_a_response_can_write() -> None:
    """An offset may move a written instant out of the years 1 to 9999."""
    assert parse_instant("0001-01-01T00:00:00+14:00") is None
    assert parse_instant("9999-12-31T23:59:59-14:00") is None
    assert parse_instant(format_timestamp(FIRST_US)) == FIRST_US
    assert parse_instant(format_timestamp(LAST_US)) == LAST_US
