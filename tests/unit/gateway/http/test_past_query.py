"""What queries of the past have in common."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.http.past_query import parse_number, parse_zone


@given(st.text(max_size=40))
def test_numbers_and_time_zones_are_understood_or_not(text: str) -> None:
    """Never an error."""
    number = parse_number(text, 7, 366)
    assert number is None or 1 <= number <= 366
    parse_zone(text)


def test_defaults() -> None:
    """UTC where no time zone is named."""
    zone = parse_zone(None)
    assert parse_number(None, 7, 366) == 7
    assert zone is not None
    assert zone.key == "UTC"
