"""Summary: what each day of a pillow had, from its episodes. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from contract.http_types import DaySummary, StateTotal
from contract.timestamps import format_timestamp
from history.spans import Span
from history.tallies import Activity

MAX_DAYS: Final = 366

RECENT_US: Final = 15_000_000
"""A recorder that hears nothing says every ten seconds that it listens."""


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day in some time zone, as far as it has passed."""

    date: date
    began_us: int
    ended_us: int

    @property
    def span(self) -> Span:
        """From when until when."""
        return self.began_us, self.ended_us


def days_until(now_us: int, count: int, zone: tzinfo) -> list[Day]:
    """Return the last `count` calendar days of a time zone, today included, the oldest first.

    A day on which clocks are set has 23 or 25 hours.
    """
    today = datetime.fromtimestamp(now_us / 1_000_000, zone).date()
    dates = [today - timedelta(days=back) for back in range(count - 1, -1, -1)]
    days = [(one, _midnight_us(one, zone), _midnight_us(_after(one), zone)) for one in dates]
    return [Day(one, began_us, min(ended_us, now_us)) for one, began_us, ended_us in days]


def summarize(days: Sequence[Day], found: Activity) -> list[DaySummary]:
    """Return what each day had; `found` is what one pillow did in them."""
    states: list[dict[str, StateTotal]] = [{} for _ in days]
    for (number, state), tally in sorted(found.tallies.items()):
        states[number][state] = StateTotal(
            tally.episodes, seconds(tally.spent_us), seconds(tally.longest_us)
        )
    asleep_us = found.asleep_us([day.span for day in days])
    unheard: list[list[tuple[str, str]]] = [[] for _ in days]
    for number, (began_us, ended_us) in found.unheard:
        unheard[number].append((format_timestamp(began_us), format_timestamp(ended_us)))
    return [
        DaySummary(
            date=day.date.isoformat(),
            began=format_timestamp(day.began_us),
            ended=format_timestamp(day.ended_us),
            states=states[number],
            asleep=seconds(asleep_us[number]),
            unheard=unheard[number],
        )
        for number, day in enumerate(days)
    ]


def seconds(time_us: int) -> float:
    """Return a duration as responses have it."""
    return round(time_us / 1_000_000, 3)


def until_now(listened: Iterable[Span], now_us: int) -> list[Span]:
    """Return the spans; those that ended less than RECENT_US ago go on until now."""
    return [
        (began_us, now_us if now_us - RECENT_US <= ended_us < now_us else ended_us)
        for began_us, ended_us in listened
    ]


def _after(day: date) -> date:
    return day + timedelta(days=1)


def _midnight_us(day: date, zone: tzinfo) -> int:
    return round(datetime.combine(day, time(), zone).timestamp() * 1_000_000)
