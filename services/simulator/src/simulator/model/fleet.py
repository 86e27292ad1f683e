"""Fleets: what many pillows say together, in the order in which it is due.

A pillow's stream depends on the seed, its group's name and its own number alone: another pillow
changes no other. How often they report does not change what happens to them.
"""

import heapq
from collections.abc import Iterator, Sequence

from simulator.model.chance import Chance, key_of
from simulator.model.pillow import Event, Kind, Pillow


def pillow_id(name: str, number: int) -> str:
    """Return the id of a group's pillow with this number, from 1."""
    return f"{name}-{number}"


def drawn_hour(seed: int) -> float:
    """Return the hour of the day, 7 to 19, at which the streams of a seed begin."""
    return Chance(key_of(seed, "hour")).between(7, 19)


def fleet(kinds: Sequence[tuple[Kind, int]], seed: int) -> Iterator[Event]:
    """Tell without end what pillows do: of each kind so many, numbered from 1."""
    # One event of each pillow waits in the heap, so a fleet is as large as its pillows and no
    # larger. Equal times are settled by the order of the pillows, on every machine alike.
    waiting: list[tuple[float, int, Pillow]] = []
    for kind, count in kinds:
        for number in range(1, count + 1):
            pillow = Pillow(kind, number, seed)
            waiting.append((pillow.next_s, len(waiting), pillow))
    heapq.heapify(waiting)
    while waiting:
        _, place, pillow = waiting[0]
        yield from pillow.step()
        heapq.heapreplace(waiting, (pillow.next_s, place, pillow))
