"""The HTTP API of steps: which queries are answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.timestamps import format_timestamp, parse_timestamp
from gateway.http.activity_api import ActivityQuery
from history.steps import MAX_STEPS, MAX_WINDOW_S

S = 1_000_000
NOW_US = 1_790_000_000 * S
INSTANTS = st.integers(0, 4_000_000_000).map(lambda at_s: format_timestamp(at_s * S))


@given(
    st.dictionaries(
        st.sampled_from(["from", "to", "step"]),
        st.one_of(st.text(max_size=30), INSTANTS, st.from_regex(r"\d{1,12}", fullmatch=True)),
    )
)
def test_every_query_is_understood_or_refused_with_a_sentence(query: dict[str, str]) -> None:
    """Whatever it has; the work is limited, and nothing is told of the future."""
    found = ActivityQuery.parse(query, NOW_US)

    if isinstance(found, str):
        assert found
        return
    assert found.from_us <= found.until_us <= max(NOW_US, found.from_us)
    assert found.until_us - found.from_us <= MAX_WINDOW_S * S
    assert len(found.steps) == found.step_count <= MAX_STEPS


def test_the_default_is_the_last_day_by_hours() -> None:
    """Until now."""
    found = ActivityQuery.parse({}, NOW_US)

    assert found == ActivityQuery(NOW_US - 86_400 * S, NOW_US, 3600)
    assert len(found.steps) == 24


def test_a_time_that_has_not_come_has_no_steps() -> None:
    """And one that is not over ends now."""
    tomorrow = format_timestamp(NOW_US + 86_400 * S)
    later = format_timestamp(NOW_US + 2 * 86_400 * S)
    begun = format_timestamp(NOW_US - 5400 * S)

    none = ActivityQuery.parse({"from": tomorrow, "to": later}, NOW_US)
    some = ActivityQuery.parse({"from": begun, "to": later}, NOW_US)

    assert isinstance(none, ActivityQuery)
    assert isinstance(some, ActivityQuery)
    assert list(none.steps) == []
    assert [ended - began for began, ended in some.steps] == [3600 * S, 1800 * S]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"from": "yesterday"}, "RFC 3339"),
        ({"to": "2026-13-01T00:00:00Z"}, "RFC 3339"),
        ({"to": "0001-01-01T00:00:00+14:00"}, "RFC 3339"),
        ({"step": "0"}, "step is a number"),
        ({"step": "00000000131622400"}, "step is a number"),
        ({"step": "1.5"}, "step is a number"),
        ({"step": "60"}, "1440 steps of 60 s; at most 1000 are told: make step at least 87"),
        ({"from": "2016-09-21T00:00:00Z", "step": "31622400"}, "more than 366 days"),
        ({"from": "2026-09-20T00:00:00Z", "to": "2026-09-20T00:00:00Z"}, "from is not before to"),
    ],
)
def test_what_cannot_be_answered_says_what_to_write(query: dict[str, str], reason: str) -> None:
    """In one sentence."""
    found = ActivityQuery.parse(query, NOW_US)

    assert isinstance(found, str)
    assert reason in found


def test_there_is_no_time_before_the_first_year() -> None:
    """The day before an instant ends at the first that can be written."""
    found = ActivityQuery.parse({"to": "0001-01-01T06:00:00Z"}, NOW_US)

    assert isinstance(found, ActivityQuery)
    assert format_timestamp(found.from_us) == "0001-01-01T00:00:00.000Z"
    assert found.step_count == 6


@pytest.mark.parametrize("hours", [23, 24, 25])
def test_a_day_has_as_many_hours_as_its_clocks_show(hours: int) -> None:
    """The request names when the day begins and when it ends."""
    began_us = parse_timestamp("2026-03-29T00:00:00+01:00")
    assert began_us is not None
    ended = format_timestamp(began_us + hours * 3600 * S)

    found = ActivityQuery.parse({"from": format_timestamp(began_us), "to": ended}, NOW_US)

    assert isinstance(found, ActivityQuery)
    assert len(found.steps) == hours
