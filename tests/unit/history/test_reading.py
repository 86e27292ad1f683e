"""Reading: a database counts as the pure functions do."""

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from history.episodes import Episode
from history.hugs import count_hugs
from history.reading import HistoryReader
from history.schema import EPISODES, LISTENED, PILLOWS
from history.spans import Span, merged
from history.tallies import Activity, combine, count_tallies, unheard_pieces
from tests.unit.history.strategies import episodes, partitions, spans
from tests.unit.recorder.histories import database


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """An empty database."""
    async with database(tmp_path) as made:
        yield made


async def store(engine: AsyncEngine, found: dict[str, list[Episode]], listened: list[Span]) -> None:
    """Replace what is there by episodes of pillows, and when recorders listened."""
    async with engine.begin() as connection:
        for table in (EPISODES, PILLOWS, LISTENED):
            await connection.execute(delete(table))
        for number, (began_us, ended_us) in enumerate(listened):
            row = {"recorder": str(number), "began_us": began_us, "ended_us": ended_us}
            await connection.execute(insert(LISTENED), [row])
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


CASES = st.lists(st.tuples(partitions(), episodes(), spans()), min_size=10, max_size=10)


@given(cases=CASES)
@settings(max_examples=3, deadline=None)
async def test_a_database_counts_as_the_pure_functions_do(
    cases: list[tuple[list[Span], list[Episode], list[Span]]],
) -> None:
    """So it does not matter which of both answers."""
    with TemporaryDirectory() as folder:
        async with database(Path(folder)) as engine:
            for whole, found, listened in cases:
                other = [Episode("hugging", 0, 99)]
                await store(engine, {"cloud-2": other, "cloud-1": found}, listened)
                reader = HistoryReader(engine)
                pieces = unheard_pieces(whole, merged(listened))
                in_pieces = count_tallies([one for _, one in pieces], found)
                tallies = count_tallies(whole, found)
                expected = combine(whole, tallies, pieces, in_pieces)
                assert await reader.activity("cloud-1", whole, 10**9) == expected
                hugs = {"cloud-1": count_hugs(found, 0, 100), "cloud-2": count_hugs(other, 0, 100)}
                assert await reader.hugs(0, 100) == {
                    name: one for name, one in hugs.items() if one is not None
                }


async def test_nothing_is_told_of_a_pillow_that_is_not_there(engine: AsyncEngine) -> None:
    """None, not zero."""
    assert await HistoryReader(engine).activity("cloud-1", [(0, 1)], 1) is None
    assert await HistoryReader(engine).hugs(0, 1) == {}


async def test_no_span_has_nothing(engine: AsyncEngine) -> None:
    """As a time that has not come."""
    await store(engine, {"cloud-1": [Episode("hugging", 0, 1)]}, [])

    assert await HistoryReader(engine).activity("cloud-1", [], 1) == Activity({}, [], [])
