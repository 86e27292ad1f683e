"""Reports: what a pillow says of the state it is in, once in a while, as the queue carries it.

A pillow's life comes in as episodes; out come reports, at the same intervals however long each
episode lasts. Chance and time come in as they do in `scenario`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from contract.instants import format_instant
from simulator.scenario import RESTING, Chance, Episode

Sample = tuple[float, float, float]
"""What an accelerometer says: x, y, z in g. At rest, on its back, it is 0, 0, 1."""


@dataclass(frozen=True, slots=True)
class Report:
    """One thing a pillow says. It is due `due_s` seconds after the start; `seq` counts from 0."""

    due_s: float
    pillow: str
    state: str
    seq: int
    confidence: float
    battery: float
    motion: tuple[Sample, ...]


class _Body(msgspec.Struct, frozen=True, omit_defaults=True):
    pillow: str
    state: str
    at: str
    seq: int
    confidence: float
    battery: float
    motion: tuple[Sample, ...] = ()


# The middle of what is measured in a state, and how far each axis strays from it.
# A pillow at rest has nothing to tell; one in flight weighs nothing.
_MOTION: Final[dict[str, tuple[Sample, Sample]]] = {
    "hugging": ((0.1, 0.2, 0.96), (0.15, 0.15, 0.1)),
    "punching": ((0, 0, 1), (0.6, 0.6, 2.8)),
    "shaking": ((0, 0, 1), (2.4, 0.9, 0.5)),
    "spinning": ((1.3, 0.9, 0.9), (0.2, 0.2, 0.1)),
    "throwing": ((0, 0, 0), (0.09, 0.09, 0.09)),
}
_SAMPLES: Final = 3

# A classifier is less sure in the first second of something new.
_FRESH_S: Final = 1.0
_CONFIDENCE_FRESH: Final = (0.55, 0.85)
_CONFIDENCE_SETTLED: Final = (0.85, 0.99)

_BATTERY_LOW: Final = 0.12
_DRAIN_S: Final = 5 * 3600
_CHARGE_S: Final = 3600


def reports(
    pillow: str, episodes: Iterable[Episode], *, rate: float, chance: Chance
) -> Iterator[Report]:
    """Tell what `pillow` says: `rate` reports a second, none while it is silent."""
    # Pillows are switched on when they are, not all at the same tick of a second.
    first_s = chance() / rate
    charged_s = chance() * (_DRAIN_S + _CHARGE_S)
    tick = seq = 0
    for episode in episodes:
        while (due_s := round(first_s + tick / rate, 3)) < episode.until_s:
            tick += 1
            if episode.state is None:
                continue
            is_fresh = due_s - episode.from_s < _FRESH_S and episode.state != RESTING
            low, high = _CONFIDENCE_FRESH if is_fresh else _CONFIDENCE_SETTLED
            yield Report(
                due_s,
                pillow,
                episode.state,
                seq,
                confidence=round(low + (high - low) * chance(), 2),
                battery=round(battery(charged_s + due_s), 2),
                motion=_motion(episode.state, chance),
            )
            seq += 1


def battery(since_full_s: float) -> float:
    """Return how full a battery is, 0 to 1: it drains for hours, then is charged within one."""
    within_s = since_full_s % (_DRAIN_S + _CHARGE_S)
    if within_s < _DRAIN_S:
        return 1 - (1 - _BATTERY_LOW) * within_s / _DRAIN_S
    return _BATTERY_LOW + (1 - _BATTERY_LOW) * (within_s - _DRAIN_S) / _CHARGE_S


def encode_body(report: Report, at_us: int) -> bytes:
    """Write a report as a queue message; `at_us` is when it is said, microseconds since 1970."""
    return msgspec.json.encode(
        _Body(
            report.pillow,
            report.state,
            format_instant(at_us // 1000 * 1000),
            report.seq,
            report.confidence,
            report.battery,
            report.motion,
        )
    )


def _motion(state: str, chance: Chance) -> tuple[Sample, ...]:
    if state not in _MOTION:
        return ()
    middle, stray = _MOTION[state]

    def measured(axis: int) -> float:
        # Adding 0.0 makes a plain zero of a negative one.
        return round(middle[axis] + stray[axis] * (2 * chance() - 1), 3) + 0.0

    return tuple((measured(0), measured(1), measured(2)) for _ in range(_SAMPLES))
