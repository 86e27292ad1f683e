"""Summaries: what a day had."""

from datetime import UTC, date
from itertools import pairwise
from zoneinfo import ZoneInfo

from contract.http_types import DaySummary, StateTotal
from contract.timestamps import parse_timestamp
from history.episodes import Episode
from history.spans import Span, merged
from history.summary import Day, days_until, summarize
from history.tallies import combine, count_tallies, unheard_pieces

S = 1_000_000
DAY = Day(date(2026, 11, 29), 0, 86_400 * S)


def summary(days: list[Day], episodes: list[Episode], listened: list[Span]) -> list[DaySummary]:
    """Return the summary of days from episodes."""
    spans = [one.span for one in days]
    pieces = unheard_pieces(spans, merged(listened))
    in_pieces = count_tallies([one for _, one in pieces], episodes)
    return summarize(days, combine(spans, count_tallies(spans, episodes), pieces, in_pieces))


def us(text: str) -> int:
    """Return an instant in microseconds."""
    found = parse_timestamp(text)
    assert found is not None
    return found


def test_a_day_counts_episodes_and_their_time() -> None:
    """With the longest of each state."""
    episodes = [
        Episode("hugging", 10 * S, 51 * S, 40),
        Episode("neutral", 51 * S, 60 * S, 2),
        Episode("hugging", 200 * S, 203 * S, 3),
    ]

    (found,) = summary([DAY], episodes, [(0, 86_400 * S)])

    assert found.states == {
        "hugging": StateTotal(episodes=2, seconds=44.0, longest=41.0),
        "neutral": StateTotal(episodes=1, seconds=9.0, longest=9.0),
    }
    assert found.asleep == 86_400 - 53
    assert found.unheard == []


def test_an_episode_over_midnight_counts_where_it_began_and_takes_time_of_both() -> None:
    """One hug is one."""
    night = Episode("hugging", 86_390 * S, 86_420 * S, 30)
    days = [DAY, Day(date(2026, 11, 30), 86_400 * S, 2 * 86_400 * S)]

    first, second = summary(days, [night], [(0, 2 * 86_400 * S)])

    assert first.states["hugging"] == StateTotal(episodes=1, seconds=10.0, longest=30.0)
    assert second.states["hugging"] == StateTotal(episodes=0, seconds=20.0, longest=0.0)


def test_a_day_says_when_nobody_listened() -> None:
    """That time is not the pillow's sleep."""
    (found,) = summary([DAY], [], [(0, 3600 * S), (7200 * S, 86_400 * S)])

    assert found.unheard == [("1970-01-01T01:00:00.000Z", "1970-01-01T02:00:00.000Z")]
    assert found.asleep == 86_400 - 3600


def test_days_are_those_of_the_time_zone() -> None:
    """In Berlin, a day begins an hour before it does in UTC."""
    now_us = us("2026-11-29T23:30:00Z")

    assert [one.date for one in days_until(now_us, 2, UTC)] == [
        date(2026, 11, 28), date(2026, 11, 29)
    ]  # fmt: skip
    berlin = days_until(now_us, 2, ZoneInfo("Europe/Berlin"))
    assert [one.date for one in berlin] == [date(2026, 11, 29), date(2026, 11, 30)]
    assert berlin[0].began_us == us("2026-11-28T23:00:00Z")
    assert berlin[1].ended_us == now_us


def test_a_day_on_which_clocks_are_set_has_its_own_length() -> None:
    """On 2026-10-25 Berlin's clocks go back by an hour."""
    days = days_until(us("2026-10-27T12:00:00Z"), 3, ZoneInfo("Europe/Berlin"))

    assert days[0].ended_us - days[0].began_us == 25 * 3600 * S
    assert all(one.ended_us == two.began_us for one, two in pairwise(days))
