"""Visitors: when people visit a pillow, in which mood, and which gestures they make.

The numbers are our own, chosen to look right and to contain every gesture; nothing was measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from simulator.model.rng import Rng

Range = tuple[float, float]
"""Smallest and largest value, in the unit that the field's name ends with."""

Weights = tuple[tuple[str, float], ...]
"""Names, each with its weight in a random choice."""


@dataclass(frozen=True, slots=True)
class Mood:
    """How a visitor behaves: the number of gestures, their weights, and the pause between them."""

    weights: Weights
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
"""Every mood by its name in a scenario."""


@dataclass(frozen=True, slots=True)
class VisitorProfile:
    """Visits to one pillow for each hour of the day, and the weights of the visitors' moods."""

    about: str
    visits_per_hour: tuple[float, ...]
    moods: Weights


VISITOR_PROFILES: Final[Mapping[str, VisitorProfile]] = MappingProxyType(
    {
        "home": VisitorProfile(
            "a family: hugs in the morning, the evening and at bedtime, play after school",
            # From 0 to 23 o'clock.
            (
                *(0.5, 0.3, 0.2, 0.2, 0.2, 1, 12, 20, 12, 8, 8, 10),
                *(14, 20, 30, 36, 36, 30, 26, 26, 24, 10, 3, 1),
            ),
            (("cuddle", 40), ("play", 30), ("rage", 15), ("curious", 15)),
        ),
        "night": VisitorProfile(
            "sleepers: a hug now and then, at every hour alike",
            (2,) * 24,
            (("cuddle", 100),),
        ),
        "kindergarten": VisitorProfile(
            "children from eight to four, and nobody else",
            (0,) * 8 + (40, 60, 60, 50, 20, 15, 60, 40) + (0,) * 8,
            (("play", 55), ("cuddle", 20), ("rage", 15), ("curious", 10)),
        ),
        "gallery": VisitorProfile(
            "visitors from ten to six who have never seen such a pillow",
            (0,) * 10 + (20, 30, 30, 40, 50, 50, 40, 25) + (0,) * 6,
            (("curious", 60), ("cuddle", 25), ("play", 15)),
        ),
        "crowd": VisitorProfile(
            "somebody at every hour, for load and for a look",
            (60,) * 24,
            (("cuddle", 25), ("play", 35), ("rage", 25), ("curious", 15)),
        ),
        "cuddlers": VisitorProfile(
            "hugs and rest, at every hour alike", (60,) * 24, (("cuddle", 100),)
        ),
        "nobody": VisitorProfile("nobody comes", (0,) * 24, (("cuddle", 1),)),
    }
)
"""Every profile by its name in a scenario, where the key is `people`."""

_SEARCH_H: Final = 24 * 7


def next_visit_s(
    profile: VisitorProfile, start_hour: float, after_s: float, rng: Rng
) -> float | None:
    """Return when the next visit begins, in seconds from the start; None where none follows.

    `start_hour` is the hour of the day at the start. The interval between two visits is drawn in
    expected visits and not in seconds, so quiet hours are skipped and busy hours are not.
    """
    expected_until_visit = rng.uniform(0.3, 1.7)
    now_h = start_hour + after_s / 3600
    until_h = now_h + _SEARCH_H
    while now_h < until_h:
        rate = profile.visits_per_hour[int(now_h) % 24]
        next_h = float(int(now_h) + 1)
        expected = rate * (next_h - now_h)
        if expected > expected_until_visit:
            return round((now_h + expected_until_visit / rate - start_hour) * 3600, 3)
        expected_until_visit -= expected
        now_h = next_h
    return None


def next_gesture(mood: Mood, *, is_first: bool, rng: Rng) -> str:
    """Return the visitor's next gesture. The first one of a visit is not a throw.

    A pillow is thrown only by somebody who already holds it.
    """
    weights = mood.weights
    if is_first:
        weights = tuple(pair for pair in weights if pair[0] != "throw") or weights
    return rng.weighted_choice(weights)
