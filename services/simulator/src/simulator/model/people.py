"""People: when they come to a pillow, in which mood, and what they do with it then.

The rhythms are ours, made to look right and to have every gesture in them; nothing was measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from simulator.model.chance import Chance

Range = tuple[float, float]
"""From, to; both in the unit that the field's name ends with."""

Odds = tuple[tuple[str, float], ...]
"""Words, and how likely each is against the others."""


@dataclass(frozen=True, slots=True)
class Mood:
    """What a visitor does: `gestures` of them, from `odds`, with a pause between."""

    odds: Odds
    gestures: Range
    pause_s: Range


MOODS: Final[Mapping[str, Mood]] = MappingProxyType(
    {
        "cuddle": Mood((("hug", 100),), (1, 3), (3, 20)),
        "play": Mood((("shake", 35), ("spin", 30), ("throw", 35)), (3, 7), (0.2, 4)),
        "rage": Mood((("punch", 70), ("throw", 30)), (2, 5), (0.3, 3)),
        "curious": Mood((("shake", 40), ("hug", 35), ("spin", 25)), (1, 2), (2, 8)),
    }
)
"""Every mood by its name."""


@dataclass(frozen=True, slots=True)
class People:
    """Who is about: how many visits a pillow has in each hour of the day, and in which mood."""

    about: str
    visits_an_hour: tuple[float, ...]
    moods: Odds


PEOPLE: Final[Mapping[str, People]] = MappingProxyType(
    {
        "home": People(
            "a family: hugs in the morning, the evening and at bedtime, play after school",
            # 0, 1, 2 … 23 o'clock
            (
                *(0.5, 0.3, 0.2, 0.2, 0.2, 1, 12, 20, 12, 8, 8, 10),
                *(14, 20, 30, 36, 36, 30, 26, 26, 24, 10, 3, 1),
            ),
            (("cuddle", 40), ("play", 30), ("rage", 15), ("curious", 15)),
        ),
        "night": People(
            "sleepers: a hug now and then, at every hour alike",
            (2,) * 24,
            (("cuddle", 100),),
        ),
        "kindergarten": People(
            "children from eight to four, and nobody else",
            (0,) * 8 + (40, 60, 60, 50, 20, 15, 60, 40) + (0,) * 8,
            (("play", 55), ("cuddle", 20), ("rage", 15), ("curious", 10)),
        ),
        "gallery": People(
            "visitors from ten to six who have never seen such a pillow",
            (0,) * 10 + (20, 30, 30, 40, 50, 50, 40, 25) + (0,) * 6,
            (("curious", 60), ("cuddle", 25), ("play", 15)),
        ),
        "crowd": People(
            "somebody at every hour, for load and for a look",
            (60,) * 24,
            (("cuddle", 25), ("play", 35), ("rage", 25), ("curious", 15)),
        ),
        "cuddlers": People("hugs and rest, at every hour alike", (60,) * 24, (("cuddle", 100),)),
        "nobody": People("nobody comes", (0,) * 24, (("cuddle", 1),)),
    }
)
"""Every circle of people by its name."""

_FORGOTTEN_H: Final = 24 * 7


def next_visit_s(people: People, hour: float, after_s: float, chance: Chance) -> float | None:
    """Return when the next visit begins, seconds from the start, or None for never.

    `hour` is the hour of the day at the start. The time between visits is counted in visits that
    were to be expected meanwhile, so that a quiet night is passed over and a busy hour is not.
    """
    wanted = chance.between(0.3, 1.7)
    now_h = hour + after_s / 3600
    until_h = now_h + _FORGOTTEN_H
    while now_h < until_h:
        rate = people.visits_an_hour[int(now_h) % 24]
        next_h = float(int(now_h) + 1)
        expected = rate * (next_h - now_h)
        if expected > wanted:
            return round((now_h + wanted / rate - hour) * 3600, 3)
        wanted -= expected
        now_h = next_h
    return None


def next_gesture(mood: Mood, *, is_first: bool, chance: Chance) -> str:
    """Return what a visitor does next. A pillow is thrown by a hand that has it already."""
    odds = mood.odds
    if is_first:
        odds = tuple(pair for pair in odds if pair[0] != "throw") or odds
    return chance.pick(odds)
