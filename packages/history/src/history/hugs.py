"""Hugs: what a day had of them, for each pillow. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from history.episodes import Episode

HUGGING: Final = "hugging"


@dataclass(frozen=True, slots=True)
class Hugs:
    """The hugs of one pillow in a time: how many began in it, the end of the last, the longest."""

    count: int
    last_us: int
    longest_us: int


def count_hugs(episodes: Iterable[Episode], from_us: int, until_us: int) -> Hugs | None:
    """Return the hugs of one pillow in a time; None where there was none.

    A hug that began before it and reaches into it does not count, but may be the last one.
    """
    hugs = [
        one
        for one in episodes
        if one.state == HUGGING
        and one.began_us < until_us
        and (one.began_us >= from_us or one.ended_us > from_us)
    ]
    if not hugs:
        return None
    began = [one.ended_us - one.began_us for one in hugs if one.began_us >= from_us]
    last_us = min(until_us, max(one.ended_us for one in hugs))
    return Hugs(len(began), last_us, max(began, default=0))
