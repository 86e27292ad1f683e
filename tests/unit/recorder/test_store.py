"""The store: what a batch leaves in the tables."""

from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from history.episodes import Episode
from history.reading import HistoryReader
from history.schema import LISTENED, PILLOWS, SIZES, STATES
from recorder.store import HistoryStore, Written
from tests.unit.recorder.histories import T0, S, database, state, stored_episodes


async def payloads(engine: AsyncEngine, pillow: str = "cloud-1") -> list[str]:
    """Return all states of a pillow."""
    return [one async for page in HistoryReader(engine).walk(pillow, 0, 2**62) for one in page]


async def episodes(engine: AsyncEngine, pillow: str = "cloud-1") -> list[Episode]:
    """Return all episodes of a pillow, in seconds since T0."""
    found = await stored_episodes(engine, pillow)
    return [
        Episode(one.state, (one.began_us - T0) // S, (one.ended_us - T0) // S, one.reports)
        for one in found
    ]


async def test_states_are_stored_as_they_were_on_mqtt(tmp_path: Path) -> None:
    """Oldest first, byte for byte."""
    states = [state(2 * S), state(0), state(S, "neutral")]
    async with database(tmp_path) as engine:
        written = await HistoryStore(engine, "a", 10).write(states, [])

        assert written == Written(new=3, over_limit=0)
        expected = [one.payload.decode() for one in sorted(states, key=lambda one: one.order)]
        assert await payloads(engine) == expected


async def test_a_state_that_comes_again_changes_nothing(tmp_path: Path) -> None:
    """Also in another process, which remembers nothing."""
    states = [state(0), state(S), state(2 * S, "neutral")]
    async with database(tmp_path) as engine:
        await HistoryStore(engine, "a", 10).write(states, [])
        before = await episodes(engine)
        restarted = HistoryStore(engine, "a", 10)

        assert await restarted.write([states[-1]], []) == Written(new=0, over_limit=0)
        assert await episodes(engine) == before
        async with engine.connect() as connection:
            sizes = (await connection.execute(select(SIZES.c.states, SIZES.c.bytes))).one()
        assert sizes == (3, sum(len(one.payload) for one in states))


async def test_an_episode_goes_on_after_a_restart(tmp_path: Path) -> None:
    """The last one is read from the tables."""
    async with database(tmp_path) as engine:
        await HistoryStore(engine, "a", 10).write([state(0), state(S)], [])
        await HistoryStore(engine, "a", 10).write([state(2 * S), state(3 * S, "neutral")], [])

        assert await episodes(engine) == [
            Episode("hugging", 0, 3, 3),
            Episode("neutral", 3, 3, 1),
        ]


async def test_two_recorders_of_one_database_agree(tmp_path: Path) -> None:
    """Each hears everything; what both write is there once."""
    states = [state(number * S, ("hugging", "neutral")[number // 3 % 2]) for number in range(12)]
    async with database(tmp_path) as engine:
        first, second = HistoryStore(engine, "a", 10), HistoryStore(engine, "b", 10)
        new = 0
        for start in range(0, 12, 4):
            batch = states[start : start + 4]
            new += (await first.write(batch, [(T0, T0 + start)])).new
            new += (await second.write(batch, [(T0, T0 + start)])).new

        assert new == 12
        assert await episodes(engine) == [
            Episode("hugging", 0, 3, 3),
            Episode("neutral", 3, 6, 3),
            Episode("hugging", 6, 9, 3),
            Episode("neutral", 9, 11, 3),
        ]
        async with engine.connect() as connection:
            listened = (await connection.execute(select(LISTENED))).all()
        assert [(one.began_us, one.recorder, one.ended_us) for one in listened] == [
            (T0, "a", T0 + 8), (T0, "b", T0 + 8)
        ]  # fmt: skip


async def test_above_the_limit_a_new_pillow_is_counted_and_not_stored(tmp_path: Path) -> None:
    """Those that are known go on."""
    async with database(tmp_path) as engine:
        store = HistoryStore(engine, "a", 2)
        batch = [state(0, pillow=f"cloud-{number}") for number in range(5)]

        assert await store.write(batch, []) == Written(new=2, over_limit=3)
        assert await store.write([state(S, pillow="cloud-0")], []) == Written(1, 0)
        async with engine.connect() as connection:
            count = select(func.count()).select_from(PILLOWS)
            assert (await connection.execute(count)).scalar_one() == 2


async def test_a_batch_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the tables nor in what the store remembers."""
    async with database(tmp_path) as engine:
        store = HistoryStore(engine, "a", 10)

        async def fails(*_: object) -> None:
            raise OperationalError("disk full", None, OSError())

        with monkeypatch.context() as patched:
            patched.setattr(store, "_upsert_listened", fails)
            with pytest.raises(OperationalError):
                await store.write([state(0)], [])
        async with engine.connect() as connection:
            count = select(func.count()).select_from(STATES)
            assert (await connection.execute(count)).scalar_one() == 0

        assert await store.write([state(0)], []) == Written(new=1, over_limit=0)
        assert await episodes(engine) == [Episode("hugging", 0, 0, 1)]
