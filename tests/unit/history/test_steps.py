"""Steps: spans of equal length, and what each had."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.episodes import Episode
from history.spans import Span, merged
from history.steps import describe_steps, steps_between
from history.summary import Day, summarize
from history.tallies import combine, count_tallies, unheard_pieces
from tests.unit.history.strategies import NAMES, spans

S = 1_000_000


def scaled(found: list[Span]) -> list[Span]:
    """Return spans of whole seconds."""
    return [(begin * S, end * S) for begin, end in found]


@st.composite
def long_episodes(draw: st.DrawFn) -> list[Episode]:
    """Return episodes of whole seconds."""
    parts = st.tuples(st.integers(1, 30), st.integers(0, 80), st.sampled_from(NAMES))
    found, at_s = [], draw(st.integers(-50, 50))
    for pause, length, state in draw(st.lists(parts, max_size=12)):
        found.append(Episode(state, (at_s + pause) * S, (at_s + pause + length) * S))
        at_s += pause + length
    return found


@given(st.integers(-(10**15), 10**15), st.integers(0, 10**6), st.integers(1, 10**4))
def test_steps_follow_each_other_until_the_end(from_us: int, length_us: int, step_s: int) -> None:
    """Each is as long as asked for, but for the last one."""
    steps = steps_between(from_us, from_us + length_us * 1000, step_s)

    assert (steps[-1][1] if steps else from_us) == from_us + length_us * 1000
    assert all(one[1] == two[0] for one, two in pairwise(steps))
    assert all(end - begin == step_s * S for begin, end in steps[:-1])
    assert all(0 < end - begin <= step_s * S for begin, end in steps)


@given(st.integers(-60, 60), st.integers(1, 300), st.integers(1, 60), long_episodes(), spans())
def test_states_sleep_and_what_nobody_heard_are_the_whole_step(
    from_s: int, length_s: int, step_s: int, episodes: list[Episode], listened: list[Span]
) -> None:
    """And all steps together have what one step over the whole time has."""
    until_us = (from_s + length_s) * S

    def of(step_s: int) -> list[tuple[float, dict[str, float], dict[str, int]]]:
        steps = steps_between(from_s * S, until_us, step_s)
        pieces = unheard_pieces(steps, merged(scaled(listened)))
        found = combine(
            steps,
            count_tallies(steps, episodes),
            pieces,
            count_tallies([one for _, one in pieces], episodes),
        )
        described = describe_steps(steps, found)
        for one, (began_us, ended_us) in zip(described, steps, strict=True):
            total = sum(one.seconds.values()) + one.asleep_s + one.unheard_s
            assert total == pytest.approx((ended_us - began_us) / S)
            assert min((one.asleep_s, one.unheard_s, *one.seconds.values())) >= 0
        return [(one.unheard_s, one.seconds, one.episodes) for one in described]

    parts, (whole,) = of(step_s), of(length_s)
    assert sum(one[0] for one in parts) == pytest.approx(whole[0])
    for state in NAMES:
        assert sum(one[1].get(state, 0) for one in parts) == pytest.approx(whole[1].get(state, 0))
        assert sum(one[2].get(state, 0) for one in parts) == whole[2].get(state, 0)


def test_a_hug_over_a_border_counts_where_it_began_and_takes_time_of_both() -> None:
    """As over midnight."""
    steps = steps_between(0, 20 * S, 10)
    hug = [Episode("hugging", 8 * S, 15 * S)]

    first, second = describe_steps(steps, combine(steps, count_tallies(steps, hug), [], {}))

    assert (first.at, second.at) == ("1970-01-01T00:00:00.000Z", "1970-01-01T00:00:10.000Z")
    assert (first.seconds, first.episodes) == ({"hugging": 2.0}, {"hugging": 1})
    assert (second.seconds, second.episodes) == ({"hugging": 5.0}, {})
    assert (first.asleep_s, second.asleep_s) == (8.0, 5.0)


@given(long_episodes())
def test_a_step_of_a_day_has_what_the_summary_of_that_day_has(episodes: list[Episode]) -> None:
    """One count serves both."""
    from datetime import date

    day = Day(date(1970, 1, 1), 0, 200 * S)
    steps = steps_between(0, 200 * S, 200)
    found = combine(steps, count_tallies(steps, episodes), [], {})

    (step,), (summary,) = describe_steps(steps, found), summarize([day], found)

    assert step.asleep_s == summary.asleep
    for state, total in summary.states.items():
        assert step.seconds.get(state, 0) == total.seconds
        assert step.episodes.get(state, 0) == total.episodes
