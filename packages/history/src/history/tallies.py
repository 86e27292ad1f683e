"""Tallies: what a pillow did in each of some spans, counted from its episodes. Pure.

A database counts in the same way where its episodes lie; see `reading`.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from history.episodes import Episode
from history.spans import Span, cut, gaps


@dataclass(frozen=True, slots=True)
class Tally:
    """What a span had of one state; durations in microseconds.

    An episode counts in the span in which it began, and so does its whole length for `longest_us`.
    """

    episodes: int = 0
    spent_us: int = 0
    longest_us: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.episodes + other.episodes,
            self.spent_us + other.spent_us,
            max(self.longest_us, other.longest_us),
        )


Tallies = dict[tuple[int, str], Tally]
"""Tallies by the number of the span and the state."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What a pillow did in each of some spans, and what is not known of it.

    `unheard` are the parts of the spans in which nobody listened, with the span's number. In
    `unheard_us` each span has how long it was that nobody listened and no episode tells what was.
    """

    tallies: Tallies
    unheard: Sequence[tuple[int, Span]]
    unheard_us: Sequence[int]

    def asleep_us(self, spans: Sequence[Span]) -> list[int]:
        """Return for how long each of these spans had no episode though somebody listened."""
        asleep_us = [
            ended_us - began_us - unheard_us
            for (began_us, ended_us), unheard_us in zip(spans, self.unheard_us, strict=True)
        ]
        for (number, _), tally in self.tallies.items():
            asleep_us[number] -= tally.spent_us
        return [max(0, one) for one in asleep_us]


class TallyCounter:
    """Counts the episodes of one pillow in spans, which are in order and do not overlap."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = spans
        self._ends = [ended_us for _, ended_us in spans]
        self.tallies: Tallies = {}

    def add(self, episode: Episode) -> None:
        """Count an episode, which may reach over any number of spans."""
        number = bisect_right(self._ends, episode.began_us)
        while number < len(self._spans):
            began_us, ended_us = self._spans[number]
            is_here = began_us <= episode.began_us
            spent_us = min(episode.ended_us, ended_us) - max(episode.began_us, began_us)
            if spent_us < 0 or (spent_us == 0 and not is_here):
                return
            length_us = episode.ended_us - episode.began_us if is_here else 0
            key = (number, episode.state)
            found = Tally(int(is_here), spent_us, length_us)
            self.tallies[key] = self.tallies.get(key, Tally()) + found
            number += 1


def count_tallies(spans: Sequence[Span], episodes: Iterable[Episode]) -> Tallies:
    """Return the tallies of one pillow's episodes; the spans are in order and do not overlap."""
    counter = TallyCounter(spans)
    for one in episodes:
        counter.add(one)
    return counter.tallies


def unheard_pieces(spans: Sequence[Span], heard: Sequence[Span]) -> list[tuple[int, Span]]:
    """Return the parts of each span that no span of `heard` covers, with the span's number."""
    if not spans:
        return []
    return cut(spans, gaps((spans[0][0], spans[-1][1]), heard))


def combine(
    spans: Sequence[Span],
    tallies: Tallies,
    pieces: Sequence[tuple[int, Span]],
    in_pieces: Mapping[tuple[int, str], Tally],
) -> Activity:
    """Return what is known of some spans: their tallies, and those of their unheard pieces."""
    unheard_us = [0] * len(spans)
    for number, (began_us, ended_us) in pieces:
        unheard_us[number] += ended_us - began_us
    for (index, _), tally in in_pieces.items():
        unheard_us[pieces[index][0]] -= tally.spent_us
    return Activity(tallies, pieces, [max(0, one) for one in unheard_us])
