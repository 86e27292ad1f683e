"""Reading: pages of past states, what a pillow did in spans of time, and hugs."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    Integer,
    Row,
    ScalarSelect,
    Select,
    and_,
    case,
    column,
    func,
    literal,
    or_,
    select,
    values,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from history.episodes import Episode
from history.hugs import HUGGING, Hugs
from history.pages import MAX_PAGE, Page, Position
from history.schema import EPISODES, LISTENED, PILLOWS, STATES
from history.spans import Span
from history.tallies import Tallies, Tally

_SPANS: Final = 1000
"""How many spans are asked about in one statement; each takes three of its variables."""


class HistoryReader:
    """Reads a history. The engine is the caller's."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def knows(self, pillow: str) -> bool:
        """Return whether there is anything of a pillow."""
        async with self._engine.connect() as connection:
            return await self._pillow_id(connection, pillow) is not None

    async def page(self, pillow: str, first: Position, until_us: int, limit: int) -> Page | None:
        """Return at most `limit` states from a position on, and before an instant.

        None for a pillow of which there is nothing.
        """
        async with self._engine.connect() as connection:
            pillow_id = await self._pillow_id(connection, pillow)
            if pillow_id is None:
                return None
            rows = await self._rows(connection, pillow_id, first, until_us, limit + 1)
        following = (rows[limit].at_us, rows[limit].seq) if len(rows) > limit else None
        return Page([row.payload for row in rows[:limit]], following)

    async def walk(self, pillow: str, from_us: int, until_us: int) -> AsyncIterator[Sequence[str]]:
        """Yield all states of a pillow between two instants, in pages."""
        first: Position | None = (from_us, 0)
        while first is not None:
            page = await self.page(pillow, first, until_us, MAX_PAGE)
            if page is None:
                return
            if page.states:
                yield page.states
            first = page.following

    async def episodes(self, pillow: str, from_us: int, until_us: int) -> list[Episode] | None:
        """Return the episodes of a pillow that reach into a time, the oldest first.

        None for a pillow of which there is nothing.
        """
        async with self._engine.connect() as connection:
            pillow_id = await self._pillow_id(connection, pillow)
            if pillow_id is None:
                return None
            columns = EPISODES.c
            of_pillow = columns.pillow_id == pillow_id
            # Episodes do not overlap, so only the last one before the time can reach into it.
            before = (
                select(EPISODES)
                .where(of_pillow, columns.began_us < from_us)
                .order_by(columns.began_us.desc())
                .limit(1)
            )
            within = (
                select(EPISODES)
                .where(of_pillow, columns.began_us >= from_us, columns.began_us < until_us)
                .order_by(columns.began_us)
            )
            rows = [
                *(row for row in await connection.execute(before) if row.ended_us >= from_us),
                *await connection.execute(within),
            ]
        return [Episode(row.state, row.began_us, row.ended_us, row.reports) for row in rows]

    async def tallies(self, pillow: str, spans: Sequence[Span]) -> Tallies | None:
        """Return what a pillow did in each of some spans; see `tallies.count_tallies`.

        The spans are in order and do not overlap. None for a pillow of which there is nothing.
        """
        async with self._engine.connect() as connection:
            pillow_id = await self._pillow_id(connection, pillow)
            if pillow_id is None:
                return None
            found: Tallies = {}
            for first in range(0, len(spans), _SPANS):
                span = _table_of(first, spans[first : first + _SPANS])
                for statement in (_began_in(span, pillow_id), _reach_into(span, pillow_id)):
                    for number, state, *counted in await connection.execute(statement):
                        key = (number, state)
                        found[key] = found.get(key, Tally()) + Tally(*map(int, counted))
        return found

    async def hugs(self, from_us: int, until_us: int) -> dict[str, Hugs]:
        """Return the hugs of each pillow that had one in a time; see `hugs.count_hugs`."""
        columns = EPISODES.c
        is_here = columns.began_us >= from_us
        length_us = case((is_here, columns.ended_us - columns.began_us), else_=0)
        found = (
            select(
                PILLOWS.c.name,
                func.sum(case((is_here, 1), else_=0)),
                func.max(columns.ended_us),
                func.max(length_us),
            )
            .select_from(PILLOWS.join(EPISODES, columns.pillow_id == PILLOWS.c.id))
            .where(
                columns.began_us >= func.coalesce(_last_before(PILLOWS.c.id, from_us), from_us),
                columns.began_us < until_us,
                columns.state == HUGGING,
                or_(is_here, columns.ended_us > from_us),
            )
            .group_by(PILLOWS.c.id)
        )
        async with self._engine.connect() as connection:
            return {
                name: Hugs(int(count), min(last_us, until_us), longest_us)
                for name, count, last_us, longest_us in await connection.execute(found)
            }

    async def listened(self, from_us: int, until_us: int) -> list[Span]:
        """Return when recorders listened, as far as it reaches into a time; they may overlap."""
        columns = LISTENED.c
        found = select(columns.began_us, columns.ended_us).where(
            columns.began_us < until_us, columns.ended_us > from_us
        )
        async with self._engine.connect() as connection:
            return [(row.began_us, row.ended_us) for row in await connection.execute(found)]

    async def _pillow_id(self, connection: AsyncConnection, pillow: str) -> int | None:
        found = select(PILLOWS.c.id).where(PILLOWS.c.name == pillow)
        return (await connection.execute(found)).scalar_one_or_none()

    async def _rows(
        self,
        connection: AsyncConnection,
        pillow_id: int,
        first: Position,
        until_us: int,
        limit: int,
    ) -> Sequence[Row[int, int, str]]:
        columns = STATES.c
        at_us, seq = first
        found = (
            select(columns.at_us, columns.seq, columns.payload)
            .where(
                columns.pillow_id == pillow_id,
                # The range of the key is said by itself, for planners that do not see it in `or`.
                columns.at_us >= at_us,
                columns.at_us < until_us,
                or_(columns.at_us > at_us, and_(columns.at_us == at_us, columns.seq >= seq)),
            )
            .order_by(columns.at_us, columns.seq)
            .limit(limit)
        )
        return (await connection.execute(found)).all()


def _table_of(first: int, spans: Sequence[Span]) -> CTE:
    """Return spans as a table; they are numbered from `first` on."""
    columns = (
        column("number", Integer),
        column("from_us", BigInteger),
        column("to_us", BigInteger),
    )
    rows = [(number, *span) for number, span in enumerate(spans, first)]
    return values(*columns, name="span").data(rows).cte("span")


def _began_in(span: CTE, pillow_id: int) -> Select[Any]:
    """Return the tallies of the episodes that began in each span."""
    columns = EPISODES.c
    spent_us = case((columns.ended_us < span.c.to_us, columns.ended_us), else_=span.c.to_us)
    return (
        select(
            span.c.number,
            columns.state,
            func.count(),
            func.sum(spent_us - columns.began_us),
            func.max(columns.ended_us - columns.began_us),
        )
        .where(
            columns.pillow_id == pillow_id,
            columns.began_us >= span.c.from_us,
            columns.began_us < span.c.to_us,
        )
        .group_by(span.c.number, columns.state)
    )


def _reach_into(span: CTE, pillow_id: int) -> Select[Any]:
    """Return the tallies of the episodes that reach into each span.

    Episodes do not overlap, so only the last one before a span can reach into it.
    """
    columns = EPISODES.c
    until_us = case((columns.ended_us < span.c.to_us, columns.ended_us), else_=span.c.to_us)
    return select(
        span.c.number, columns.state, literal(0), until_us - span.c.from_us, literal(0)
    ).where(
        columns.pillow_id == pillow_id,
        columns.began_us == _last_before(literal(pillow_id), span.c.from_us),
        columns.ended_us > span.c.from_us,
    )


def _last_before(pillow_id: Any, at_us: Any) -> ScalarSelect[int]:
    """Return when the last episode of a pillow before an instant began."""
    before = EPISODES.alias("before")
    return (
        select(func.max(before.c.began_us))
        .where(before.c.pillow_id == pillow_id, before.c.began_us < at_us)
        .scalar_subquery()
    )
