"""Spans: pieces of time, and what of one lies in another. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

Span = tuple[int, int]
"""From when until when, in microseconds since 1970."""


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the spans without overlaps, the oldest first."""
    found: list[Span] = []
    for began_us, ended_us in sorted(spans):
        if found and began_us <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ended_us))
        else:
            found.append((began_us, ended_us))
    return found


def gaps(whole: Span, covered: Sequence[Span]) -> list[Span]:
    """Return the parts of a time that no span covers; the spans are merged."""
    found, at_us = [], whole[0]
    for began_us, ended_us in covered:
        if ended_us <= at_us or began_us >= whole[1]:
            continue
        if began_us > at_us:
            found.append((at_us, began_us))
        at_us = ended_us
    if at_us < whole[1]:
        found.append((at_us, whole[1]))
    return found


def cut(spans: Sequence[Span], pieces: Sequence[Span]) -> list[tuple[int, Span]]:
    """Return the parts of `pieces` in each span, with the span's number, the oldest first.

    Both are in order and without overlaps.
    """
    ends = [ended_us for _, ended_us in spans]
    found = []
    for began_us, ended_us in pieces:
        for number in range(bisect_right(ends, began_us), len(spans)):
            part = (max(began_us, spans[number][0]), min(ended_us, spans[number][1]))
            if spans[number][0] >= ended_us:
                break
            if part[0] < part[1]:
                found.append((number, part))
    return found
