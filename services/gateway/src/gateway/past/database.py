"""Past states of the recorder's database. Only a gateway with HISTORY_URL imports this module."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from gateway.past.source import PastUnavailable
from history.database import HistoryUrl, open_database
from history.errors import database_error
from history.hugs import Hugs
from history.pages import Page, Position
from history.reading import HistoryReader
from history.spans import Span
from history.tallies import Activity

T = TypeVar("T")


class DatabasePast:
    """The database, which is connected to with the first question. Each raises PastUnavailable."""

    def __init__(self, url: HistoryUrl) -> None:
        self._engine = open_database(url, read_only=True)
        self._reader = HistoryReader(self._engine)

    async def page(self, pillow: str, first: Position, until_us: int, limit: int) -> Page | None:
        """Return a page; see PastStates."""
        return await _answered(self._reader.page(pillow, first, until_us, limit))

    async def activity(self, pillow: str, spans: Sequence[Span], now_us: int) -> Activity | None:
        """Return what a pillow did in spans; see PastStates."""
        return await _answered(self._reader.activity(pillow, spans, now_us))

    async def hugs(self, from_us: int, until_us: int) -> Mapping[str, Hugs]:
        """Return the hugs of each pillow; see PastStates."""
        return await _answered(self._reader.hugs(from_us, until_us))

    def since_us(self) -> int | None:
        """Return None: recorders write down when they listened; see PastStates."""
        return None

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.dispose()


async def _answered(question: Awaitable[T]) -> T:
    try:
        return await question
    except (SQLAlchemyError, OSError) as error:
        raise PastUnavailable(database_error(error)) from error
