"""Fleets: what several pillows say together, in the order in which it is due.

A pillow's stream depends on the seed and its own number alone: another pillow changes no other.
How often they report does not change what happens to them, only how finely it is told.
"""

import heapq
import random
from collections.abc import Iterator
from operator import attrgetter

from simulator.reports import Report, reports
from simulator.scenario import Chance, Scenario, episodes, start_hour

_LIFE, _REPORTS = 0, 1


def pillow_id(number: int) -> str:
    """Return the id of the pillow with this number, from 1."""
    return f"cloud-{number}"


def fleet_hour(scenario: Scenario, seed: int) -> float:
    """Return the hour of the day, 0 to 24, at which the streams of a seed begin."""
    return start_hour(scenario, _chance(seed, 0, _LIFE))


def fleet(scenario: Scenario, *, pillows: int, rate: float, seed: int) -> Iterator[Report]:
    """Tell without end what `cloud-1` to `cloud-<pillows>` say, each `rate` times a second."""
    hour = fleet_hour(scenario, seed)
    return heapq.merge(
        *(
            reports(
                pillow_id(number),
                episodes(scenario, hour, _chance(seed, number, _LIFE)),
                rate=rate,
                chance=_chance(seed, number, _REPORTS),
            )
            for number in range(1, pillows + 1)
        ),
        key=attrgetter("due_s"),
    )


def _chance(seed: int, number: int, purpose: int) -> Chance:
    # Of all that `random` offers, only random() seeded with a whole number is promised to stay the
    # same from one Python to the next.
    return random.Random((seed << 32 | number) << 1 | purpose).random  # noqa: S311 - no secret
