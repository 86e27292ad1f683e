"""Random numbers: streams derived from one seed, identical on every machine and Python version.

The generator is SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators",
OOPSLA 2014). It is written here because the model needs number n of a stream without the numbers
before it (the sensor's noise is indexed by the sample), and a state of two integers for each of
100,000 pillows; `random.Random` has no random access, and a state of 2.5 kB.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, TypeVar

_Choice = TypeVar("_Choice")

_MASK: Final = 2**64 - 1
_GAMMA: Final = 0x9E3779B97F4A7C15
_ULP: Final = 2.0**-53


def stream_key(*parts: int | str) -> int:
    """Return the key of the stream that `parts` name, the seed first."""
    text = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def random_bits(key: int, index: int) -> int:
    """Return number `index` (from 0) of a stream as 64 random bits."""
    z = (key + (index + 1) * _GAMMA) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def random_unit(key: int, index: int) -> float:
    """Return number `index` (from 0) of a stream, at least 0 and below 1."""
    return (random_bits(key, index) >> 11) * _ULP


class Rng:
    """A stream that is read in order."""

    __slots__ = ("_index", "_key")

    def __init__(self, key: int) -> None:
        self._key = key
        self._index = 0

    def random(self) -> float:
        """Return the next number, at least 0 and below 1."""
        index = self._index
        self._index = index + 1
        return (random_bits(self._key, index) >> 11) * _ULP

    def uniform(self, low: float, high: float) -> float:
        """Return a number from `low` to `high`, uniformly distributed."""
        return low + (high - low) * self.random()

    def weighted_choice(self, weights: Sequence[tuple[_Choice, float]]) -> _Choice:
        """Return one of the choices with a probability proportional to its weight, above 0."""
        # Not sum(), which adds floats in another way from Python 3.12 on.
        total = 0.0
        for _, weight in weights:
            total += weight
        remaining = self.random() * total
        for choice, weight in weights:
            remaining -= weight
            if remaining < 0:
                return choice
        return weights[-1][0]
