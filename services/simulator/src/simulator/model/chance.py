"""Chance: streams of numbers from one seed, the same on every machine and Python.

The generator is SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators",
OOPSLA 2014): whole numbers only, and any number of a stream can be had without those before it.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, TypeVar

_Thing = TypeVar("_Thing")

_MASK: Final = 2**64 - 1
_STEP: Final = 0x9E3779B97F4A7C15
_UNIT: Final = 2.0**-53


def key_of(*parts: int | str) -> int:
    """Return the key of the stream that `parts` name, the seed first; other parts, another one."""
    text = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def bits(key: int, index: int) -> int:
    """Return number `index` of a stream, from 0: 64 bits."""
    z = (key + (index + 1) * _STEP) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def share(key: int, index: int) -> float:
    """Return number `index` of a stream, at least 0 and below 1."""
    return (bits(key, index) >> 11) * _UNIT


class Chance:
    """A stream that is drawn from."""

    __slots__ = ("_drawn", "_key")

    def __init__(self, key: int) -> None:
        self._key = key
        self._drawn = 0

    def draw(self) -> float:
        """Return the next number, at least 0 and below 1."""
        index = self._drawn
        self._drawn = index + 1
        return (bits(self._key, index) >> 11) * _UNIT

    def between(self, low: float, high: float) -> float:
        """Return a number from `low` to `high`, all alike."""
        return low + (high - low) * self.draw()

    def happens(self, share_of_times: float) -> bool:
        """Say yes in that share of times, 0 to 1."""
        return self.draw() < share_of_times

    def pick(self, odds: Sequence[tuple[_Thing, float]]) -> _Thing:
        """Return one of `odds`, each as likely as its weight; the weights are above 0."""
        total = 0.0
        for _, weight in odds:
            total += weight
        mark = self.draw() * total
        for thing, weight in odds:
            mark -= weight
            if mark < 0:
                return thing
        return odds[-1][0]
