"""Reading: a database counts as the pure functions do."""

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from history import reading
from history.episodes import Episode
from history.hugs import count_hugs
from history.reading import HistoryReader
from history.schema import EPISODES, PILLOWS
from history.spans import Span
from history.tallies import count_tallies
from tests.unit.history.strategies import episodes, partitions
from tests.unit.recorder.histories import database


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """An empty database."""
    async with database(tmp_path) as made:
        yield made


async def store(engine: AsyncEngine, found: dict[str, list[Episode]]) -> None:
    """Replace what is there by episodes of pillows."""
    async with engine.begin() as connection:
        for table in (EPISODES, PILLOWS):
            await connection.execute(delete(table))
        for number, (name, of_pillow) in enumerate(found.items(), 1):
            await connection.execute(insert(PILLOWS), [{"id": number, "name": name}])
            rows = [
                {
                    "pillow_id": number,
                    "began_us": one.began_us,
                    "ended_us": one.ended_us,
                    "state": one.state,
                    "reports": one.reports,
                }
                for one in of_pillow
            ]
            if rows:
                await connection.execute(insert(EPISODES), rows)


CASES = st.lists(st.tuples(partitions(), episodes()), min_size=10, max_size=10)


@given(cases=CASES)
@settings(max_examples=3, deadline=None)
async def test_a_database_counts_as_the_pure_functions_do(
    cases: list[tuple[list[Span], list[Episode]]],
) -> None:
    """Also where spans are asked about in several statements."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_SPANS", 5)
        async with database(Path(folder)) as engine:
            for whole, found in cases:
                other = [Episode("hugging", 0, 99)]
                await store(engine, {"cloud-2": other, "cloud-1": found})
                reader = HistoryReader(engine)
                assert await reader.tallies("cloud-1", whole) == count_tallies(whole, found)
                hugs = {"cloud-1": count_hugs(found, 0, 100), "cloud-2": count_hugs(other, 0, 100)}
                assert await reader.hugs(0, 100) == {
                    name: one for name, one in hugs.items() if one is not None
                }


async def test_nothing_is_told_of_a_pillow_that_is_not_there(engine: AsyncEngine) -> None:
    """None, not zero."""
    assert await HistoryReader(engine).tallies("cloud-1", [(0, 1)]) is None
    assert await HistoryReader(engine).hugs(0, 1) == {}


async def test_no_span_has_no_tallies(engine: AsyncEngine) -> None:
    """A statement without spans would be none."""
    await store(engine, {"cloud-1": [Episode("hugging", 0, 1)]})

    assert await HistoryReader(engine).tallies("cloud-1", []) == {}
