"""What a source of past states offers, whether it is memory or a database."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from history.hugs import Hugs
from history.pages import Page, Position
from history.spans import Span
from history.tallies import Activity


class PastUnavailable(Exception):
    """A source cannot answer now; the message says why."""


class PastStates(Protocol):
    """Past states of pillows. A source that cannot answer raises PastUnavailable."""

    async def page(self, pillow: str, first: Position, until_us: int, limit: int) -> Page | None:
        """Return at most `limit` states from a position on, and before an instant.

        None for a pillow of which there is nothing.
        """

    async def activity(self, pillow: str, spans: Sequence[Span], now_us: int) -> Activity | None:
        """Return what a pillow did in each of some spans, which are in order without overlaps.

        None for a pillow of which there is nothing.
        """

    async def hugs(self, from_us: int, until_us: int) -> Mapping[str, Hugs]:
        """Return the hugs of each pillow that had one in a time."""

    def since_us(self) -> int | None:
        """Return from when on there is everything, in microseconds; None if that is not known."""
