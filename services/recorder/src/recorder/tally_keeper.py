"""Makes the tallies of days that are over, where it is worth it."""

import asyncio
import time
from typing import Any, Final

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from history.quarters import DAY_US
from history.schema import EPISODES, PILLOWS, TALLIED_DAYS
from history.spans import Span
from recorder.repeated import repeat
from recorder.tallying import make_tallies

BUSY: Final = 1000
"""From how many episodes on a day gets tallies: about ten for each quarter of an hour. With fewer,
the episodes themselves are as few as tallies would be."""

WORK_S: Final = 3.0
"""For about how long tallies are made at each check: what is left is made after the next one."""


def _due() -> Select[Any]:
    """Return the statement for the pillows whose days are to be looked at, and which days.

    A day is over when an episode of a later day has begun. Mostly there are no such pillows.
    """
    began_us, pillow = EPISODES.c.began_us, PILLOWS.c
    first_us, last_us = [
        select(found).where(EPISODES.c.pillow_id == pillow.id).scalar_subquery()
        for found in (func.min(began_us), func.max(began_us))
    ]
    from_us = func.coalesce(pillow.tallied_until_us, first_us)
    until_us = last_us // DAY_US * DAY_US
    due = select(pillow.id, from_us.label("from_us"), until_us.label("until_us"))
    return due.where(until_us > from_us).order_by(pillow.id)


_DUE: Final = _due()


class TallyKeeper:
    """Makes tallies. The engine is the caller's."""

    def __init__(self, engine: AsyncEngine, busy: int = BUSY) -> None:
        self._engine = engine
        self._busy = busy

    async def run(self, stopping: asyncio.Event) -> None:
        """Check until `stopping` is set."""
        await repeat(lambda: self.check(stopping), "tallies", stopping)

    async def check(self, stopping: asyncio.Event, work_s: float = WORK_S) -> None:
        """Make what is due, for about `work_s` seconds."""
        until_s = time.monotonic() + work_s

        def must_end() -> bool:
            return stopping.is_set() or time.monotonic() > until_s

        async with self._engine.connect() as connection:
            rows = (await connection.execute(_DUE)).all()
        looked_after: list[tuple[int, int]] = []
        for row in rows:
            days = await self._days_to_make(row.id, (row.from_us, row.until_us))
            if not days:
                looked_after.append((row.id, row.until_us))
            # A pillow that gets some is looked at again: some may be discarded meanwhile.
            for day_us in days:
                if must_end():
                    break
                await self._make(row.id, day_us)
            if must_end():
                break
        if looked_after:
            async with self._engine.begin() as connection:
                for number, until_us in looked_after:
                    of_pillow = update(PILLOWS).where(PILLOWS.c.id == number)
                    await connection.execute(of_pillow.values(tallied_until_us=until_us))

    async def _make(self, number: int, day_us: int) -> None:
        began_s = time.monotonic()
        async with self._engine.begin() as connection:
            await make_tallies(connection, number, day_us)
        # Recording, which waits for SQLite's lock, has as much of the time.
        await asyncio.sleep(time.monotonic() - began_s)

    async def _days_to_make(self, number: int, due: Span) -> list[int]:
        """Return when the busy days of a pillow begin that have no tallies."""
        day = (EPISODES.c.began_us // DAY_US).label("day")
        within = (EPISODES.c.began_us >= due[0], EPISODES.c.began_us < due[1])
        busy_days = (
            select(day)
            .where(EPISODES.c.pillow_id == number, *within)
            .group_by(day)
            .having(func.count() >= self._busy)
            .order_by(day)
        )
        tallied = select(TALLIED_DAYS.c.began_us).where(TALLIED_DAYS.c.pillow_id == number)
        async with self._engine.connect() as connection:
            made = set((await connection.execute(tallied)).scalars())
            days = [int(one) * DAY_US for one in (await connection.execute(busy_days)).scalars()]
        return [one for one in days if one not in made]
