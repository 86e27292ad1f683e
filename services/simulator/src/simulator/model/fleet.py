"""A fleet: the events of many pillows in the order in which they are due.

A pillow's events depend on the seed, its group's name and its number alone: an additional pillow
changes no other. The reporting interval does not change which gestures happen.
"""

import heapq
from collections.abc import Iterator, Sequence

from simulator.model.config import GroupConfig
from simulator.model.events import Event
from simulator.model.pillow import Pillow
from simulator.model.rng import Rng, stream_key


def pillow_id(group: str, number: int) -> str:
    """Return the id of a group's pillow with this number, from 1."""
    return f"{group}-{number}"


def random_start_hour(seed: int) -> float:
    """Return the hour of the day, 7 to 19, at which a run with this seed starts."""
    return Rng(stream_key(seed, "hour")).uniform(7, 19)


def fleet_events(groups: Sequence[tuple[GroupConfig, int]], seed: int) -> Iterator[Event]:
    """Return the endless events of all groups; a group has so many pillows, numbered from 1."""
    # The heap holds each pillow once, so memory is proportional to the pillows. The index makes
    # the order of equal times the same on every machine.
    waiting: list[tuple[float, int, Pillow]] = []
    for group, count in groups:
        for number in range(1, count + 1):
            pillow = Pillow(group, number, seed)
            waiting.append((pillow.next_s, len(waiting), pillow))
    heapq.heapify(waiting)
    while waiting:
        _, index, pillow = waiting[0]
        yield from pillow.step()
        heapq.heapreplace(waiting, (pillow.next_s, index, pillow))
