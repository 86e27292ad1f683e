"""Quarters of an hour: what of spans is known from tallies that the recorder has made. Pure.

A quarter, because the hours and days of all time zones of today begin with one.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

from history.spans import Span

QUARTER_US: Final = 900_000_000
"""The length of a quarter of an hour in microseconds."""

DAY_US: Final = 96 * QUARTER_US
"""The length of a day of UTC, all of whose quarters are tallied or none."""

Part = tuple[int, int, int]
"""The number of a span, and from when until when a part of it is."""


def divide(spans: Iterable[Span], tallied: Sequence[Span]) -> tuple[list[Part], list[Part]]:
    """Return the parts of spans whose episodes have to be counted, and those that are tallied.

    Spans are numbered from 0 on. `tallied` consists of whole days, and is in order without
    overlaps; each quarter in it has a tally.
    """
    counted, known = [], []
    ends = [ended_us for _, ended_us in tallied]
    for number, (began_us, ended_us) in enumerate(spans):
        at_us = began_us
        first_us = -(-began_us // QUARTER_US) * QUARTER_US
        last_us = ended_us // QUARTER_US * QUARTER_US
        for index in range(bisect_right(ends, began_us), len(tallied)):
            from_us, until_us = max(tallied[index][0], first_us), min(tallied[index][1], last_us)
            if from_us >= last_us:
                break
            if from_us >= until_us:
                continue
            if at_us < from_us:
                counted.append((number, at_us, from_us))
            known.append((number, from_us, until_us))
            at_us = until_us
        if at_us < ended_us:
            counted.append((number, at_us, ended_us))
    return counted, known
