"""Store: writes states, episodes and what was listened to, a batch in one transaction."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contract.updates import Update
from history.episodes import Episode
from history.schema import EPISODES, LISTENED, PILLOWS, SIZES, STATES
from history.spans import Span
from recorder.batch import Row, episode_changes, size_rows, state_rows
from recorder.tallying import discard_changed

_CHUNK: Final = 500
"""How many names or numbers are asked for in one statement."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a batch has added: new states, and states of pillows above the limit of pillows."""

    new: int
    over_limit: int


class HistoryStore:
    """The tables, as the recorder writes them. The engine is the caller's."""

    def __init__(self, engine: AsyncEngine, recorder: str, max_pillows: int) -> None:
        """`recorder` is the name of this process in `listened`."""
        self._engine = engine
        self._recorder = recorder
        self._max_pillows = max_pillows
        # The numbers and last episodes of pillows that were written, the longest silent first.
        self._ids: OrderedDict[str, int] = OrderedDict()
        self._last: dict[str, Episode] = {}

    async def write(self, updates: Sequence[Update], listened: Sequence[Span]) -> Written:
        """Write states, and from when until when there was listening.

        Raises SQLAlchemyError, OSError or TimeoutError.

        All of it or nothing is written, and it is harmless to write states again.
        """
        async with self._engine.begin() as connection:
            ids = await self._numbers(connection, {one.pillow for one in updates})
            last = await self._last_episodes(connection, ids)
            new = await self._insert_states(connection, state_rows(updates, ids))
            changes = episode_changes(updates, ids, last)
            await self._upsert_episodes(connection, changes.rows)
            await discard_changed(connection, changes.rows)
            await self._add_sizes(connection, size_rows(new))
            await self._upsert_listened(connection, listened)
        # Only now, because a transaction that failed has changed nothing.
        self._remember(ids, last | changes.last)
        return Written(len(new), sum(one.pillow not in ids for one in updates))

    def _remember(self, ids: Mapping[str, int], last: Mapping[str, Episode]) -> None:
        for name, number in ids.items():
            self._ids[name] = number
            self._ids.move_to_end(name)
        self._last |= last
        while len(self._ids) > self._max_pillows:
            name, _ = self._ids.popitem(last=False)
            self._last.pop(name, None)

    async def _numbers(self, connection: AsyncConnection, names: set[str]) -> dict[str, int]:
        """Return the numbers of pillows; a new one gets a number, unless there are too many."""
        found = await self._stored_numbers(connection, sorted(names))
        new = sorted(names - found.keys())
        if new:
            count = select(func.count()).select_from(PILLOWS)
            room = self._max_pillows - (await connection.execute(count)).scalar_one()
            new = new[: max(0, room)]
        if new:
            statement = _insert(connection, PILLOWS).on_conflict_do_nothing()
            await connection.execute(statement, [{"name": name} for name in new])
            found |= await self._stored_numbers(connection, new)
        return found

    async def _stored_numbers(
        self, connection: AsyncConnection, names: Sequence[str]
    ) -> dict[str, int]:
        """Return the numbers of pillows, which nobody deletes before this transaction ends.

        They are asked for in each, because another process may have deleted a pillow: `recorder
        prune`, or another recorder. What is written with the number of none, nobody reads.
        """
        found: dict[str, int] = {}
        for chunk in _chunks(names):
            wanted = select(PILLOWS).where(PILLOWS.c.name.in_(chunk))
            rows = await connection.execute(wanted.with_for_update(read=True, key_share=True))
            found |= {row.name: row.id for row in rows}
        return found

    async def _last_episodes(
        self, connection: AsyncConnection, ids: Mapping[str, int]
    ) -> dict[str, Episode]:
        """Return the last episodes of pillows, from the tables where they are not remembered."""
        known = {name for name, number in ids.items() if self._ids.get(name) == number}
        found = {name: self._last[name] for name in known if name in self._last}
        unknown = {number: name for name, number in ids.items() if name not in known}
        columns = EPISODES.c
        for chunk in _chunks(sorted(unknown)):
            newest = (
                select(columns.pillow_id, func.max(columns.began_us).label("began_us"))
                .where(columns.pillow_id.in_(chunk))
                .group_by(columns.pillow_id)
                .subquery()
            )
            joined = EPISODES.join(
                newest,
                (columns.pillow_id == newest.c.pillow_id) & (columns.began_us == newest.c.began_us),
            )
            for row in await connection.execute(select(EPISODES).select_from(joined)):
                episode = Episode(row.state, row.began_us, row.ended_us, row.reports)
                found[unknown[row.pillow_id]] = episode
        return found

    async def _insert_states(
        self, connection: AsyncConnection, rows: Sequence[Row]
    ) -> list[tuple[int, int]]:
        """Insert states; return `at` and the payload's bytes of those that were not there."""
        if not rows:
            return []
        columns = STATES.c
        statement = (
            _insert(connection, STATES)
            .on_conflict_do_nothing()
            .returning(columns.at_us, func.length(columns.payload))
        )
        return [(at_us, size) for at_us, size in await connection.execute(statement, rows)]

    async def _upsert_episodes(self, connection: AsyncConnection, rows: Sequence[Row]) -> None:
        if not rows:
            return
        insert, later = _insert(connection, EPISODES), _greatest(connection)
        excluded, columns = insert.excluded, EPISODES.c
        statement = insert.on_conflict_do_update(
            index_elements=[columns.pillow_id, columns.began_us],
            set_={
                "ended_us": later(columns.ended_us, excluded.ended_us),
                "reports": later(columns.reports, excluded.reports),
                "state": excluded.state,
            },
        )
        await connection.execute(statement, rows)

    async def _add_sizes(self, connection: AsyncConnection, rows: Sequence[Row]) -> None:
        if not rows:
            return
        insert, columns = _insert(connection, SIZES), SIZES.c
        statement = insert.on_conflict_do_update(
            index_elements=[columns.slot],
            set_={
                "states": columns.states + insert.excluded.states,
                "bytes": columns.bytes + insert.excluded.bytes,
            },
        )
        await connection.execute(statement, rows)

    async def _upsert_listened(self, connection: AsyncConnection, spans: Sequence[Span]) -> None:
        if not spans:
            return
        insert, columns = _insert(connection, LISTENED), LISTENED.c
        later = _greatest(connection)
        statement = insert.on_conflict_do_update(
            index_elements=[columns.began_us, columns.recorder],
            set_={"ended_us": later(columns.ended_us, insert.excluded.ended_us)},
        )
        rows = [
            {"began_us": began_us, "recorder": self._recorder, "ended_us": ended_us}
            for began_us, ended_us in spans
        ]
        await connection.execute(statement, rows)


def _insert(connection: AsyncConnection, table: Table) -> Any:
    """Return an INSERT that can say what happens when the key is there: each database has its."""
    is_sqlite = connection.dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


def _greatest(connection: AsyncConnection) -> Callable[..., Any]:
    return func.max if connection.dialect.name == "sqlite" else func.greatest


def _chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
