"""The history in a real PostgreSQL: schema, writing, reading, retention, an outage."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from testcontainers.community.postgres import PostgresContainer

from history.database import HistoryUrl, open_database
from history.episodes import Episode
from history.hugs import Hugs, count_hugs
from history.quarters import DAY_US
from history.reading import HistoryReader
from history.schema import METADATA, STATES, TALLIED_DAYS
from history.slots import SLOT_US
from history.steps import steps_between
from history.tallies import combine, count_tallies, unheard_pieces
from recorder.batch import Row
from recorder.migrate import migrate
from recorder.pruning import Pruner
from recorder.recording import FAILURES
from recorder.store import HistoryStore
from recorder.tally_keeper import TallyKeeper
from tests.machine import need_docker
from tests.unit.recorder.histories import T0, S, state, stored_episodes
from tests.waiting import eventually

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresContainer]:
    """A server of this module."""
    need_docker()
    with PostgresContainer("postgres:17", driver=None) as server:
        yield server


@pytest.fixture
async def engine(postgres: PostgresContainer) -> AsyncIterator[AsyncEngine]:
    """A connection to an empty database with the tables."""
    found = open_database(HistoryUrl.parse(postgres.get_connection_url()), read_only=False)
    async with found.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await migrate(found)
    yield found
    await found.dispose()


async def test_two_recorders_write_what_one_gateway_reads(
    engine: AsyncEngine, postgres: PostgresContainer
) -> None:
    """At the same time, the same states: each is there once."""
    states = [state(number * S, ("hugging", "neutral")[number // 3 % 2]) for number in range(12)]

    async def record(name: str) -> int:
        store, new = HistoryStore(engine, name, 10), 0
        for start in range(0, 12, 4):
            new += (await store.write(states[start : start + 4], [(T0, T0 + start * S)])).new
        return new

    assert sum(await asyncio.gather(record("a"), record("b"))) == 12
    reading = open_database(HistoryUrl.parse(postgres.get_connection_url()), read_only=True)
    try:
        reader = HistoryReader(reading)
        page = await reader.page("cloud-1", (T0, 0), T0 + 60 * S, 5)
        episodes = await stored_episodes(engine, "cloud-1")
        assert page is not None
        assert list(page.states) == [one.payload.decode() for one in states[:5]]
        assert page.following == (T0 + 5 * S, 0)
        assert [
            (one.state, one.began_us - T0, one.ended_us - T0, one.reports) for one in episodes
        ] == [
            ("hugging", 0, 3 * S, 3),
            ("neutral", 3 * S, 6 * S, 3),
            ("hugging", 6 * S, 9 * S, 3),
            ("neutral", 9 * S, 11 * S, 3),
        ]
        with pytest.raises(DBAPIError, match="read-only"):
            await HistoryStore(reading, "c", 10).write(states, [])
    finally:
        await reading.dispose()


async def test_it_counts_as_the_pure_functions_do(
    engine: AsyncEngine, postgres: PostgresContainer
) -> None:
    """Steps, days and hugs, read-only; an episode over a border has a part in both steps."""
    names = ("hugging", "neutral", "hugging", "punching", "hugging")
    states = [state(number * 7 * S, name) for number, name in enumerate(names)]
    other = [state(number * 5 * S, "hugging", "cloud-2") for number in range(3)]
    store = HistoryStore(engine, "a", 10)
    await store.write([*states, *other], [(T0 + 3 * S, T0 + 12 * S), (T0 + 20 * S, T0 + 40 * S)])
    found = await stored_episodes(engine, "cloud-1")
    reading = open_database(HistoryUrl.parse(postgres.get_connection_url()), read_only=True)
    try:
        reader = HistoryReader(reading)
        for step_s in (1, 4, 60):
            steps = steps_between(T0 - 5 * S, T0 + 55 * S, step_s)
            heard = [(T0 + 3 * S, T0 + 12 * S), (T0 + 20 * S, T0 + 40 * S)]
            pieces = unheard_pieces(steps, heard)
            in_pieces = count_tallies([one for _, one in pieces], found)
            expected = combine(steps, count_tallies(steps, found), pieces, in_pieces)
            assert await reader.activity("cloud-1", steps, T0 + 3600 * S) == expected
        assert await reader.activity("cloud-3", steps, T0) is None
        assert await reader.hugs(T0 + S, T0 + 60 * S) == {
            "cloud-1": count_hugs(found, T0 + S, T0 + 60 * S),
            "cloud-2": Hugs(0, T0 + 10 * S, 0),
        }
    finally:
        await reading.dispose()


async def test_a_pillow_that_is_written_is_not_deleted_meanwhile(engine: AsyncEngine) -> None:
    """One that comes back while another recorder deletes it as silent for too long."""
    pruning: list[asyncio.Task[int]] = []

    class InterruptedStore(HistoryStore):
        """Prunes between the question for a pillow's number and the write."""

        async def _insert_states(
            self, connection: AsyncConnection, rows: Sequence[Row]
        ) -> list[tuple[int, int]]:
            pruning.append(asyncio.create_task(Pruner(engine).prune(T0 + SLOT_US)))

            async def waits_or_has_ended() -> bool:
                waiting = select(func.count()).select_from(text("pg_locks WHERE NOT granted"))
                return pruning[0].done() or bool((await connection.execute(waiting)).scalar_one())

            await eventually(waits_or_has_ended, "the pruner has come to the pillow")
            return await super()._insert_states(connection, rows)

    await HistoryStore(engine, "a", 10).write([state(0)], [])
    await InterruptedStore(engine, "b", 10).write([state(SLOT_US)], [])
    assert await pruning[0] == 1
    page = await HistoryReader(engine).page("cloud-1", (0, 0), 2**62, 10)
    assert page is not None
    assert list(page.states) == [state(SLOT_US).payload.decode()]


async def test_tallies_are_what_counting_gives_with_two_recorders(
    engine: AsyncEngine, postgres: PostgresContainer
) -> None:
    """Also while one writes what is late, and after retention."""
    day_us = -(-T0 // DAY_US) * DAY_US
    late, ahead = HistoryStore(engine, "late", 10), HistoryStore(engine, "ahead", 10)
    names = ("hugging", "neutral", "punching")
    await late.write([state(day_us - T0)], [])
    reports = [
        state(day_us - T0 + number * 20 * S, names[number // 2 % 3]) for number in range(3000, 9000)
    ]
    await ahead.write([one for one in reports if one.order[0] > day_us + DAY_US], [])
    keeper = TallyKeeper(engine, busy=10)
    steps = steps_between(day_us, day_us + 2 * DAY_US, 3600)
    reading = open_database(HistoryUrl.parse(postgres.get_connection_url()), read_only=True)
    try:
        reader = HistoryReader(reading)

        async def check() -> None:
            found = await reader.activity("cloud-1", steps, steps[-1][1])
            assert found is not None
            assert found.tallies == count_tallies(steps, await stored_episodes(engine, "cloud-1"))

        async def write_late() -> None:
            for start in range(0, 1000, 100):
                await late.write(reports[start : start + 100], [])

        await asyncio.gather(keeper.check(asyncio.Event(), 60), write_late())
        await check()
        await keeper.check(asyncio.Event(), 60)  # those that were discarded
        await check()
        async with engine.begin() as connection:
            days = select(func.count()).select_from(TALLIED_DAYS)
            assert (await connection.execute(days)).scalar_one() == 2
        await Pruner(engine).prune(T0 // SLOT_US * SLOT_US + 300 * SLOT_US)
        await check()
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE tallies SET episodes = 0"))
        with pytest.raises(AssertionError):
            await check()  # the tallies are what it reads
    finally:
        await reading.dispose()


async def test_retention_deletes_what_is_before(engine: AsyncEngine) -> None:
    """And the sizes are those of what is left."""
    store = HistoryStore(engine, "a", 10)
    await store.write([state(0), state(S), state(SLOT_US)], [])

    assert await Pruner(engine).prune(T0 + SLOT_US) == 2

    async with engine.connect() as connection:
        count = select(func.count()).select_from(STATES)
        assert (await connection.execute(count)).scalar_one() == 1
    assert [one.states for one in await Pruner(engine).slots()] == [1]


async def test_the_migrations_make_the_tables_that_the_code_describes(engine: AsyncEngine) -> None:
    """Nothing has to be added by hand."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy import Connection

    def compare(connection: Connection) -> object:
        options = {"version_table": "history_version", "compare_type": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)

    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []


async def test_a_connection_that_is_cut_is_a_failure_and_the_next_one_works(
    engine: AsyncEngine,
) -> None:
    """What was written before is there."""
    store = HistoryStore(engine, "a", 10)
    await store.write([state(0)], [])
    async with engine.connect() as connection:
        with pytest.raises(FAILURES):
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    await store.write([state(S)], [])

    assert await stored_episodes(engine, "cloud-1") == [Episode("hugging", T0, T0 + S, 2)]
