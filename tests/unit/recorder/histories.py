"""Databases and states for the recorder's tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.timestamps import format_timestamp
from contract.updates import Update, decode_state
from history.database import HistoryUrl, open_database
from history.episodes import Episode
from history.schema import EPISODES, PILLOWS
from recorder.migrate import migrate

T0 = 1_764_000_000_000_000
"""An instant that begins a slot, in microseconds."""

S = 1_000_000


def state(at_us: int, name: str = "hugging", pillow: str = "cloud-1", seq: int = 0) -> Update:
    """Return a state; `at_us` counts from T0."""
    at = format_timestamp(T0 + at_us)
    text = f'{{"pillow":"{pillow}","state":"{name}","at":"{at}","seq":{seq}}}'
    found = decode_state(pillow, text.encode())
    assert isinstance(found, Update), found
    return found


@asynccontextmanager
async def database(folder: Path) -> AsyncIterator[AsyncEngine]:
    """Open a new SQLite database with the tables."""
    engine = open_database(HistoryUrl.parse(f"sqlite:///{folder}/history.db"), read_only=False)
    try:
        await migrate(engine)
        yield engine
    finally:
        await engine.dispose()


async def stored_episodes(engine: AsyncEngine, pillow: str) -> list[Episode]:
    """Return the episodes of a pillow, the oldest first."""
    of_pillow = EPISODES.c.pillow_id == PILLOWS.c.id
    found = select(EPISODES).where(of_pillow, PILLOWS.c.name == pillow)
    async with engine.connect() as connection:
        rows = await connection.execute(found.order_by(EPISODES.c.began_us))
        return [Episode(row.state, row.began_us, row.ended_us, row.reports) for row in rows]
