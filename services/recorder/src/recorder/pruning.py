"""Pruning: deletes what is before an instant, in steps that hold no lock for long."""

from typing import Final

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from history.schema import EPISODES, LISTENED, PILLOWS, SIZES, STATES
from history.slots import SLOT_US
from recorder.retention import Slot
from recorder.tallying import discard_before

STEP: Final = 5000
"""The most states that one transaction deletes."""

KEPT_FREE: Final = 10
"""One page of so many stays free, to be used again."""

VACUUM_PAGES: Final = 500
"""How many pages are given back in one transaction: 2 MB."""


class Pruner:
    """Deletes rows. The engine is the caller's."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def slots(self) -> list[Slot]:
        """Return the sizes of all slots."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(SIZES))
            return [Slot(row.slot, row.states, row.bytes) for row in rows]

    async def prune(self, cutoff_us: int) -> int:
        """Delete everything before an instant; return how many states it were."""
        removed = 0
        async with self._engine.connect() as connection:
            numbers = (await connection.execute(select(PILLOWS.c.id))).scalars().all()
        for number in numbers:
            removed += await self._prune_states(number, cutoff_us)
            await self._prune_episodes(number, cutoff_us)
        async with self._engine.begin() as connection:
            await connection.execute(delete(SIZES).where(SIZES.c.slot < cutoff_us // SLOT_US))
            await connection.execute(delete(LISTENED).where(LISTENED.c.ended_us < cutoff_us))
        if self._engine.dialect.name == "sqlite":
            await self._give_back()
        return removed

    async def _give_back(self) -> None:
        """Give free pages of the file back to the disk, but for those that are soon used again.

        To give all back would move pages at each check, only for the file to grow again.
        """
        async with self._engine.connect() as connection:
            free = (await connection.execute(text("PRAGMA freelist_count"))).scalar_one()
            pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
        surplus = free - pages // KEPT_FREE
        for first in range(0, surplus, VACUUM_PAGES):
            count = min(VACUUM_PAGES, surplus - first)
            async with self._engine.connect() as connection:
                driver = (await connection.get_raw_connection()).driver_connection
                assert driver is not None, "a connection that is open has one of its driver"
                # A script, because each page is a row of this statement, and it has no columns: to
                # execute it would give back one page.
                await driver.executescript(f"PRAGMA incremental_vacuum({count})")

    async def _prune_states(self, number: int, cutoff_us: int) -> int:
        columns, removed = STATES.c, 0
        of_pillow = columns.pillow_id == number
        while True:
            async with self._engine.begin() as connection:
                step = select(columns.at_us).where(of_pillow).order_by(columns.at_us, columns.seq)
                end_us = (await connection.execute(step.offset(STEP).limit(1))).scalar()
                until_us = cutoff_us if end_us is None else min(cutoff_us, end_us + 1)
                statement = delete(STATES).where(of_pillow, columns.at_us < until_us)
                removed += (await connection.execute(statement)).rowcount
            if until_us == cutoff_us:
                return removed

    async def _prune_episodes(self, number: int, cutoff_us: int) -> None:
        """Delete old episodes, and the pillow if it has nothing else."""
        columns, pillow = EPISODES.c, PILLOWS.c.id == number
        async with self._engine.begin() as connection:
            # Until it ends no recorder writes a state of this pillow.
            await connection.execute(select(PILLOWS.c.id).where(pillow).with_for_update())
            await connection.execute(
                delete(EPISODES).where(columns.pillow_id == number, columns.ended_us < cutoff_us)
            )
            await discard_before(connection, number, cutoff_us)
            for table in (STATES, EPISODES):
                rows = select(func.count()).select_from(
                    select(table.c.pillow_id).where(table.c.pillow_id == number).limit(1).subquery()
                )
                if (await connection.execute(rows)).scalar_one():
                    return
            await connection.execute(delete(PILLOWS).where(pillow))
