"""Quarters: which parts of spans have tallies."""

from hypothesis import given
from hypothesis import strategies as st

from history.quarters import DAY_US, QUARTER_US, divide
from history.spans import Span, merged

INSTANTS = st.integers(0, 8 * 96 * 4).map(lambda found: found * QUARTER_US // 4 + found % 3)
SPANS = st.lists(st.tuples(INSTANTS, INSTANTS).map(lambda one: (min(one), max(one))), max_size=8)
DAYS = st.sets(st.integers(0, 7)).map(
    lambda days: merged((day * DAY_US, (day + 1) * DAY_US) for day in days)
)


@given(SPANS, DAYS)
def test_the_parts_of_a_span_are_the_span(spans: list[Span], tallied: list[Span]) -> None:
    """Each once; and those with tallies are all the whole quarters of days that have some."""
    counted, known = divide(spans, tallied)

    for number, (began_us, ended_us) in enumerate(spans):
        parts = sorted(part[1:] for part in (*counted, *known) if part[0] == number)
        assert all(from_us < until_us for from_us, until_us in parts)
        assert [began_us, *(one for _, one in parts)] == [*(one for one, _ in parts), ended_us]
        quarters = {
            quarter
            for from_us, until_us in tallied
            for quarter in range(from_us, until_us, QUARTER_US)
            if began_us <= quarter and quarter + QUARTER_US <= ended_us
        }
        assert quarters == {
            quarter
            for one, from_us, until_us in known
            if one == number
            for quarter in range(from_us, until_us, QUARTER_US)
        }
