"""Scenarios: which states a pillow passes through, and how long each lasts.

Here is only what happens to a pillow; what it reports of it is `reports`.
Chance comes in as an argument, a source of numbers in 0..1, and time is counted from the start.
Nothing but the four operations and `round` is done with those numbers: other functions, and even
`sum`, give different last digits on another machine or Python, and a seed must mean one stream.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

Chance = Callable[[], float]
"""The next number of a stream of random ones, at least 0 and below 1."""

Range = tuple[float, float]
"""From, to; both in the unit that the field's name ends with."""

Odds = tuple[tuple[str, int], ...]
"""States and how likely each is, in percent; together 100."""

RESTING: Final = "neutral"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the day: from `from_hour` on a pillow rests for `rest_s`, then one of `opens`."""

    from_hour: float
    rest_s: Range
    opens: Odds


@dataclass(frozen=True, slots=True)
class Scenario:
    """A day, given by its parts in order of their hours, the first from midnight.

    It is entered at an hour within `start_hour`, with a first rest of `first_rest_s`: short, so
    that whoever has just started it sees something happen.
    `lasts_s` and `follows` belong to the states other than resting.
    After a rest, `silence_percent` of the time, a pillow says nothing for `silence_s`: with more
    than the gateway's GATEWAY_EXPIRE_AFTER it is shown as not connected.
    """

    summary: str
    start_hour: Range
    first_rest_s: Range
    parts: tuple[Part, ...]
    lasts_s: Mapping[str, Range]
    follows: Mapping[str, Odds]
    silence_percent: float = 0
    silence_s: Range = (36, 44)


@dataclass(frozen=True, slots=True)
class Episode:
    """A pillow in one state, or silent (`state` None), from and until seconds after the start."""

    state: str | None
    from_s: float
    until_s: float


DAY: Final = Scenario(
    summary="hugs in the morning, the evening and at bedtime, play after school, quiet nights",
    start_hour=(7, 19),
    first_rest_s=(3, 15),
    parts=(
        Part(0, (600, 2400), (("hugging", 100),)),
        Part(6.5, (15, 75), (("hugging", 85), ("shaking", 15))),
        Part(9, (30, 120), (("hugging", 50), ("shaking", 30), ("spinning", 20))),
        Part(
            13,
            (10, 50),
            (("shaking", 35), ("punching", 35), ("spinning", 20), ("hugging", 10)),
        ),
        Part(
            17.5,
            (20, 90),
            (("hugging", 60), ("shaking", 15), ("punching", 15), ("spinning", 10)),
        ),
        Part(19.5, (15, 60), (("hugging", 100),)),
        Part(21, (600, 2400), (("hugging", 100),)),
    ),
    lasts_s=MappingProxyType(
        {
            "hugging": (5, 60),
            "punching": (2, 12),
            "shaking": (2, 10),
            "spinning": (2, 8),
            "throwing": (1, 2),
        }
    ),
    # A pillow is thrown by a hand that has it already, and it lands.
    follows=MappingProxyType(
        {
            "hugging": ((RESTING, 100),),
            "punching": (("throwing", 25), ("shaking", 25), ("hugging", 20), (RESTING, 30)),
            "shaking": (("throwing", 30), ("spinning", 20), ("punching", 15), (RESTING, 35)),
            "spinning": (("throwing", 30), ("shaking", 20), (RESTING, 50)),
            "throwing": (("punching", 20), ("shaking", 15), ("hugging", 15), (RESTING, 50)),
        }
    ),
    silence_percent=4,
)

CALM: Final = Scenario(
    summary="rest and hugs, at every hour alike",
    start_hour=(0, 24),
    first_rest_s=(3, 15),
    parts=(Part(0, (20, 90), (("hugging", 100),)),),
    lasts_s=MappingProxyType({"hugging": (5, 60)}),
    follows=MappingProxyType({"hugging": ((RESTING, 100),)}),
)

SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType({"day": DAY, "calm": CALM})
"""Every scenario by the name that SIMULATOR_SCENARIO gives it."""


def start_hour(scenario: Scenario, chance: Chance) -> float:
    """Return the hour of the day, 0 to 24, at which the stream begins."""
    return _within(scenario.start_hour, chance)


def part_at(scenario: Scenario, hour: float) -> Part:
    """Return the part of the day that an hour belongs to; hours go on beyond 24."""
    return next(part for part in reversed(scenario.parts) if part.from_hour <= hour % 24)


def episodes(scenario: Scenario, from_hour: float, chance: Chance) -> Iterator[Episode]:
    """Tell one pillow's life without end: episodes that follow each other without a gap."""
    now_s = 0.0
    state: str | None = RESTING
    lasts_s = _within(scenario.first_rest_s, chance)
    while True:
        until_s = round(now_s + lasts_s, 3)
        yield Episode(state, now_s, until_s)
        is_first, now_s = now_s == 0, until_s
        part = part_at(scenario, from_hour + now_s / 3600)
        if state is None:
            state = RESTING
        elif state != RESTING:
            state = _drawn(scenario.follows[state], chance)
        elif not is_first and chance() * 100 < scenario.silence_percent:
            state = None
        else:
            state = _drawn(part.opens, chance)
        lasts_s = _within(_bounds(scenario, part, state), chance)


def _bounds(scenario: Scenario, part: Part, state: str | None) -> Range:
    if state is None:
        return scenario.silence_s
    return part.rest_s if state == RESTING else scenario.lasts_s[state]


def _drawn(odds: Odds, chance: Chance) -> str:
    mark = chance() * 100
    for state, percent in odds[:-1]:
        mark -= percent
        if mark < 0:
            return state
    return odds[-1][0]


def _within(bounds: Range, chance: Chance) -> float:
    low, high = bounds
    return low + (high - low) * chance()
