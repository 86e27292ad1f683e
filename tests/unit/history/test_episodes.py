"""Episodes: how reports become times in one state."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from history.episodes import SILENCE_US, Episode, observe

STATES = st.sampled_from(["hugging", "neutral", "punching"])
INSTANTS = st.integers(0, 4 * SILENCE_US)
REPORTS = st.lists(st.tuples(INSTANTS, STATES), max_size=30)
S = 1_000_000


def episodes_of(reports: list[tuple[int, str]]) -> list[Episode]:
    """Return what is stored after reports in the order in which they come."""
    stored: dict[int, Episode] = {}
    last: Episode | None = None
    for at_us, state in reports:
        for episode in observe(last, at_us, state):
            stored[episode.began_us] = last = episode
    return [stored[began_us] for began_us in sorted(stored)]


def test_many_reports_of_a_hug_are_one_hug() -> None:
    """It lasts from the first to the last one."""
    assert episodes_of([(0, "hugging"), (S, "hugging"), (2 * S, "hugging")]) == [
        Episode("hugging", 0, 2 * S, 3)
    ]


def test_a_state_lasts_until_the_next_one_begins() -> None:
    """A pillow is always in one state."""
    assert episodes_of([(0, "hugging"), (5 * S, "neutral"), (6 * S, "neutral")]) == [
        Episode("hugging", 0, 5 * S, 1),
        Episode("neutral", 5 * S, 6 * S, 2),
    ]


def test_silence_ends_an_episode_with_its_last_report() -> None:
    """The next report of the same state is another hug."""
    later_us = S + SILENCE_US + 1

    assert episodes_of([(0, "hugging"), (S, "hugging"), (later_us, "hugging")]) == [
        Episode("hugging", 0, S, 2),
        Episode("hugging", later_us, later_us, 1),
    ]


def test_two_states_of_one_instant_leave_the_later_one() -> None:
    """The key of an episode is its beginning."""
    assert episodes_of([(0, "hugging"), (0, "neutral")]) == [Episode("neutral", 0, 0, 1)]


@given(REPORTS)
def test_reports_that_come_again_change_nothing(reports: list[tuple[int, str]]) -> None:
    """After a start, the broker's retained states are those that were recorded before."""
    in_order = sorted(reports)
    once = episodes_of(in_order)

    assert episodes_of([*in_order, *in_order]) == once
    assert episodes_of([one for one in in_order for _ in range(2)]) == once


@given(REPORTS)
def test_episodes_are_in_order_and_do_not_overlap(reports: list[tuple[int, str]]) -> None:
    """Whatever comes, in whichever order."""
    found = episodes_of(reports)

    for earlier, later in pairwise(found):
        assert earlier.ended_us <= later.began_us
    assert sum(one.reports for one in found) <= len(reports)


@given(st.lists(st.tuples(INSTANTS, STATES), max_size=30, unique_by=lambda report: report[0]))
def test_neighbours_of_one_state_have_silence_between_them(
    reports: list[tuple[int, str]],
) -> None:
    """Otherwise they would be one; only reports of one instant can hide a state between them."""
    found = episodes_of(sorted(reports))

    for earlier, later in pairwise(found):
        if earlier.state == later.state:
            assert later.began_us - earlier.ended_us > SILENCE_US
