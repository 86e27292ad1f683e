"""What a source of past states offers, whether it is memory or a database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from history.episodes import Episode
from history.pages import Page, Position
from history.summary import Span


class PastUnavailable(Exception):
    """A source cannot answer now; the message says why."""


@dataclass(frozen=True, slots=True)
class Days:
    """What a summary is made of."""

    episodes: Sequence[Episode]
    listened: Sequence[Span]


class PastStates(Protocol):
    """Past states of pillows. A source that cannot answer raises PastUnavailable."""

    async def page(self, pillow: str, first: Position, until_us: int, limit: int) -> Page | None:
        """Return at most `limit` states from a position on, and before an instant.

        None for a pillow of which there is nothing.
        """

    async def days(self, pillow: str, from_us: int, until_us: int) -> Days | None:
        """Return the episodes of a pillow in a time, and when it was listened to."""
