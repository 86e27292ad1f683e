"""Pages of past states, as a database or a memory gives them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MAX_PAGE: Final = 1000
"""The most states of a page."""

Position = tuple[int, int]
"""Where a state is among its pillow's: `at` in microseconds, and `seq`."""


@dataclass(frozen=True, slots=True)
class Page:
    """Past states of one pillow, the oldest first; `following` is where the next page begins."""

    states: Sequence[str]
    following: Position | None
