"""Summary: what each day of a pillow had, from its episodes. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from contract.http_types import DaySummary, StateTotal
from contract.timestamps import format_timestamp
from history.episodes import Episode

MAX_DAYS: Final = 366

RECENT_US: Final = 15_000_000
"""A recorder that hears nothing says every ten seconds that it listens."""

Span = tuple[int, int]
"""From when until when, in microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day in some time zone, as far as it has passed."""

    date: date
    began_us: int
    ended_us: int


def days_until(now_us: int, count: int, zone: tzinfo) -> list[Day]:
    """Return the last `count` calendar days of a time zone, today included, the oldest first.

    A day on which clocks are set has 23 or 25 hours.
    """
    today = datetime.fromtimestamp(now_us / 1_000_000, zone).date()
    dates = [today - timedelta(days=back) for back in range(count - 1, -1, -1)]
    days = [(one, _midnight_us(one, zone), _midnight_us(_after(one), zone)) for one in dates]
    return [Day(one, began_us, min(ended_us, now_us)) for one, began_us, ended_us in days]


def summarize(
    days: Sequence[Day], episodes: Iterable[Episode], listened: Iterable[Span]
) -> list[DaySummary]:
    """Return what each day had.

    `episodes` are all of one pillow that reach into the days, in any order; `listened` may overlap.
    """
    episodes, heard = list(episodes), merged(listened)
    return [_summarize_day(day, episodes, heard) for day in days]


def until_now(listened: Iterable[Span], now_us: int) -> list[Span]:
    """Return the spans; those that ended less than RECENT_US ago go on until now."""
    return [
        (began_us, now_us if now_us - RECENT_US <= ended_us < now_us else ended_us)
        for began_us, ended_us in listened
    ]


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the spans without overlaps, the oldest first."""
    found: list[Span] = []
    for began_us, ended_us in sorted(spans):
        if found and began_us <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ended_us))
        else:
            found.append((began_us, ended_us))
    return found


def gaps(day: Span, heard: Sequence[Span]) -> list[Span]:
    """Return the parts of a day that no span covers; the spans are merged."""
    found, at_us = [], day[0]
    for began_us, ended_us in heard:
        if ended_us <= at_us or began_us >= day[1]:
            continue
        if began_us > at_us:
            found.append((at_us, began_us))
        at_us = ended_us
    if at_us < day[1]:
        found.append((at_us, day[1]))
    return found


def _summarize_day(day: Day, episodes: Sequence[Episode], heard: Sequence[Span]) -> DaySummary:
    totals: dict[str, StateTotal] = {}
    active: list[Span] = []
    for one in episodes:
        part_us = min(one.ended_us, day.ended_us) - max(one.began_us, day.began_us)
        began_here = day.began_us <= one.began_us < day.ended_us
        if part_us < 0 or (part_us == 0 and not began_here):
            continue
        known = totals.get(one.state, StateTotal())
        totals[one.state] = StateTotal(
            known.episodes + began_here,
            known.seconds + part_us / 1_000_000,
            max(known.longest, (one.ended_us - one.began_us) / 1_000_000 if began_here else 0.0),
        )
        active.append((one.began_us, one.ended_us))
    span = (day.began_us, day.ended_us)
    unheard = gaps(span, heard)
    silent_us = sum(end - begin for begin, end in gaps(span, merged(active)))
    unheard_us = sum(end - begin for begin, end in gaps(span, merged([*active, *heard])))
    return DaySummary(
        date=day.date.isoformat(),
        began=format_timestamp(day.began_us),
        ended=format_timestamp(day.ended_us),
        states={state: _rounded(total) for state, total in sorted(totals.items())},
        asleep=round((silent_us - unheard_us) / 1_000_000, 3),
        unheard=[(format_timestamp(begin), format_timestamp(end)) for begin, end in unheard],
    )


def _rounded(total: StateTotal) -> StateTotal:
    return StateTotal(total.episodes, round(total.seconds, 3), round(total.longest, 3))


def _after(day: date) -> date:
    return day + timedelta(days=1)


def _midnight_us(day: date, zone: tzinfo) -> int:
    return round(datetime.combine(day, time(), zone).timestamp() * 1_000_000)
