"""Reading: pages of past states, what a pillow did in spans of time, and hugs."""

from collections.abc import AsyncIterator, Sequence

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from history.counting import bounds, hugs_statement, tallies_statement
from history.hugs import Hugs
from history.pages import MAX_PAGE, Page, Position
from history.quarters import DAY_US, divide
from history.schema import LISTENED, PILLOWS, STATES, TALLIED_DAYS
from history.spans import Span, merged
from history.summary import until_now
from history.tallies import Activity, Tallies, Tally, combine, unheard_pieces


async def read_tallies(
    connection: AsyncConnection, pillow_id: int, spans: Sequence[Span], tallied: Sequence[Span] = ()
) -> Tallies:
    """Return the tallies of a pillow's episodes, as `tallies.count_tallies` does.

    What of `spans` is in `tallied` is read from the tallies of quarters.
    """
    dialect = connection.dialect.name
    given = {"pillow_id": pillow_id, **bounds(dialect, *divide(spans, tallied))}
    found: Tallies = {}
    for number, state, *counted in await connection.execute(tallies_statement(dialect), given):
        key = (number, state)
        tally = Tally(*map(int, counted))
        found[key] = found[key] + tally if key in found else tally
    return found


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

    async def activity(self, pillow: str, spans: Sequence[Span], now_us: int) -> Activity | None:
        """Return what a pillow did in each of some spans, which are in order without overlaps.

        None for a pillow of which there is nothing.
        """
        async with self._engine.connect() as connection:
            pillow_id = await self._pillow_id(connection, pillow)
            if pillow_id is None:
                return None
            if not spans:
                return Activity({}, [], [])
            tallied = await self._tallied(connection, pillow_id, spans[0][0], spans[-1][1])
            listened = await self._listened(connection, spans[0][0], spans[-1][1])
            pieces = unheard_pieces(spans, merged(until_now(listened, now_us)))
            # In one statement, because each takes a millisecond to and from SQLite's thread.
            parts = [*spans, *(piece for _, piece in pieces)]
            tallies = await read_tallies(connection, pillow_id, parts, tallied)
        of_spans: Tallies = {}
        in_pieces: Tallies = {}
        for (number, state), tally in tallies.items():
            if number < len(spans):
                of_spans[number, state] = tally
            else:
                in_pieces[number - len(spans), state] = tally
        return combine(spans, of_spans, pieces, in_pieces)

    async def hugs(self, from_us: int, until_us: int) -> dict[str, Hugs]:
        """Return the hugs of each pillow that had one in a time; see `hugs.count_hugs`."""
        async with self._engine.connect() as connection:
            statement = hugs_statement(connection.dialect.name)
            given = {"from_us": from_us, "until_us": until_us}
            return {
                name: Hugs(int(count), min(last_us, until_us), longest_us)
                for name, count, last_us, longest_us in await connection.execute(statement, given)
            }

    async def _listened(
        self, connection: AsyncConnection, from_us: int, until_us: int
    ) -> list[Span]:
        """Return when recorders listened, as far as it reaches into a time; they may overlap."""
        columns = LISTENED.c
        found = select(columns.began_us, columns.ended_us).where(
            columns.began_us < until_us, columns.ended_us > from_us
        )
        return [(row.began_us, row.ended_us) for row in await connection.execute(found)]

    async def _tallied(
        self, connection: AsyncConnection, pillow_id: int, from_us: int, until_us: int
    ) -> list[Span]:
        """Return the days with tallies, as far as they reach into a time."""
        columns = TALLIED_DAYS.c
        found = select(columns.began_us).where(
            columns.pillow_id == pillow_id,
            columns.began_us > from_us - DAY_US,
            columns.began_us < until_us,
        )
        days = (await connection.execute(found)).scalars()
        return merged((began_us, began_us + DAY_US) for began_us in days)

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
