"""Hugs of a day."""

from hypothesis import given

from history.episodes import Episode
from history.hugs import Hugs, count_hugs
from history.tallies import Tally, count_tallies
from tests.unit.history.strategies import episodes

S = 1_000_000


@given(episodes())
def test_the_hugs_of_a_day_are_those_of_its_summary(found: list[Episode]) -> None:
    """Their number and the longest."""
    hugs = count_hugs(found, 0, 100)
    tally = count_tallies([(0, 100)], found).get((0, "hugging"), Tally())

    counted = (hugs.count, hugs.longest_us) if hugs else (0, 0)
    assert counted == (tally.episodes, tally.longest_us)
    assert hugs is not None or tally.spent_us == 0
    assert hugs is None or 0 <= hugs.last_us <= 100


def test_a_hug_from_before_midnight_is_not_one_of_today_but_may_be_the_last() -> None:
    """It counted yesterday."""
    night = Episode("hugging", -10 * S, 20 * S)

    assert count_hugs([night], 0, 60 * S) == Hugs(0, 20 * S, 0)
    assert count_hugs([night, Episode("hugging", 30 * S, 33 * S)], 0, 60 * S) == Hugs(
        1, 33 * S, 3 * S
    )


def test_a_day_without_a_hug_has_none() -> None:
    """A punch is none."""
    assert count_hugs([Episode("punching", S, 2 * S)], 0, 60 * S) is None
    assert count_hugs([Episode("hugging", -9 * S, 0)], 0, 60 * S) is None
