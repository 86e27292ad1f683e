"""Past states of the recorder's database. Only a gateway with HISTORY_URL imports this module."""

from collections.abc import Awaitable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from gateway.past.source import Days, PastUnavailable
from history.database import HistoryUrl, open_database
from history.pages import Page, Position
from history.reading import HistoryReader
from runtime.error_text import brief_error

T = TypeVar("T")


class DatabasePast:
    """The database, which is connected to with the first question. Each raises PastUnavailable."""

    def __init__(self, url: HistoryUrl) -> None:
        self._engine = open_database(url, read_only=True)
        self._reader = HistoryReader(self._engine)

    async def page(self, pillow: str, first: Position, until_us: int, limit: int) -> Page | None:
        """Return a page; see PastStates."""
        return await _answered(self._reader.page(pillow, first, until_us, limit))

    async def days(self, pillow: str, from_us: int, until_us: int) -> Days | None:
        """Return what a summary is made of; see PastStates."""
        episodes = await _answered(self._reader.episodes(pillow, from_us, until_us))
        if episodes is None:
            return None
        return Days(episodes, await _answered(self._reader.listened(from_us, until_us)))

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.dispose()


async def _answered(question: Awaitable[T]) -> T:
    try:
        return await question
    except (SQLAlchemyError, OSError) as error:
        raise PastUnavailable(brief_error(error)) from error
