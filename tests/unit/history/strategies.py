"""Episodes and spans for property tests."""

from itertools import accumulate, pairwise

from hypothesis import strategies as st

from history.episodes import Episode
from history.spans import Span

NAMES = ("hugging", "neutral", "punching")


@st.composite
def episodes(draw: st.DrawFn) -> list[Episode]:
    """Return the episodes of one pillow, which do not overlap, the oldest first."""
    parts = st.tuples(st.integers(1, 30), st.integers(0, 80), st.sampled_from(NAMES))
    found, at_us = [], draw(st.integers(-50, 50))
    for pause, length, state in draw(st.lists(parts, max_size=12)):
        began_us = at_us + pause
        at_us = began_us + length
        found.append(Episode(state, began_us, at_us, 1 + length // 10))
    return found


@st.composite
def partitions(draw: st.DrawFn) -> list[Span]:
    """Return spans that follow each other without a gap."""
    lengths = draw(st.lists(st.integers(1, 60), min_size=1, max_size=12))
    return list(pairwise(accumulate(lengths, initial=draw(st.integers(-60, 60)))))


def spans() -> st.SearchStrategy[list[Span]]:
    """Return spans that may overlap, in any order."""
    one = st.tuples(st.integers(-100, 200), st.integers(0, 150))
    return st.lists(one.map(lambda found: (found[0], sum(found))), max_size=12)
