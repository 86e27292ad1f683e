"""Tallies: they are always what counting the episodes would give."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from history.quarters import DAY_US
from history.reading import HistoryReader
from history.schema import PILLOWS, TALLIED_DAYS, TALLIES
from history.slots import SLOT_US
from history.steps import steps_between
from history.summary import days_until
from history.tallies import combine, count_tallies, unheard_pieces
from recorder.migrate import migrate
from recorder.pruning import Pruner
from recorder.store import HistoryStore
from recorder.tally_keeper import BUSY, TallyKeeper
from tests.unit.recorder.histories import T0, S, database, state, stored_episodes

NAMES = ("hugging", "neutral", "punching")
DAYS = 6
CHANGES = (
    ("Europe/Berlin", datetime(2026, 10, 23)),
    ("Europe/Berlin", datetime(2026, 3, 27)),
    ("Australia/Lord_Howe", datetime(2026, 4, 3)),  # by half an hour
    ("Pacific/Chatham", datetime(2026, 9, 25)),  # 12 hours and 45 minutes from UTC
    ("Asia/Kathmandu", datetime(2026, 6, 1)),
    ("America/St_Johns", datetime(2026, 10, 30)),
)
"""Time zones, and days before their clocks are set."""


@dataclass(frozen=True)
class Reports:
    """Reports of a pillow, each a while after the one before; who records them, and what then."""

    pause_s: int
    reports: list[tuple[int, str]]
    is_late: bool
    must_tally: bool


REPORTS = st.builds(
    Reports,
    st.integers(31, 15 * 3600),
    st.lists(st.tuples(st.integers(1, 30), st.sampled_from(NAMES)), min_size=1, max_size=20),
    st.booleans(),
    st.booleans(),
)


@dataclass(frozen=True)
class Story:
    """What happens to a history."""

    zone: str
    start: datetime
    parts: list[Reports]
    pruned_slots: int
    step_s: int
    shift_s: int


STORIES = st.builds(
    lambda change, *rest: Story(*change, *rest),
    st.sampled_from(CHANGES),
    st.lists(REPORTS, min_size=4, max_size=14),
    st.sampled_from([0, 0, 100, 288, 400, 900]),
    st.sampled_from([900, 1800, 3600, 86_400, 1234, 40_000]),
    st.sampled_from([0, 0, 900, 1, 777]),
)


async def tell(engine: AsyncEngine, story: Story, start_us: int) -> None:
    """Write a story's states: recorder "b" comes back with the late ones when "a" has gone on."""
    recorders = [HistoryStore(engine, name, 10) for name in "ab"]
    keeper, at_us, late = TallyKeeper(engine, busy=1), start_us - T0, []
    for recorder in recorders:
        await recorder.write([state(at_us)], [])
    for part in story.parts:
        at_us += part.pause_s * S
        states = []
        for step_s, name in part.reports:
            at_us += step_s * S
            states.append(state(at_us, name))
        if part.is_late:
            late += states
        else:
            await recorders[0].write(states, [])
        if part.must_tally:
            await keeper.check(asyncio.Event(), 60)
    await recorders[1].write(late, [])
    if story.pruned_slots:
        await Pruner(engine).prune(start_us // SLOT_US * SLOT_US + story.pruned_slots * SLOT_US)


@given(stories=st.lists(STORIES, min_size=6, max_size=6))
@settings(max_examples=3, deadline=None)
async def test_days_and_steps_are_those_of_the_episodes(stories: list[Story]) -> None:
    """In any time zone, also when clocks are set; with late states, and after retention."""
    for story in stories:
        zone = ZoneInfo(story.zone)
        start_us = round(story.start.replace(tzinfo=zone).timestamp()) * S
        end_us = start_us + DAYS * DAY_US
        with TemporaryDirectory() as folder:
            async with database(Path(folder)) as engine:
                await tell(engine, story, start_us)
                episodes = await stored_episodes(engine, "cloud-1")
                whole = steps_between(start_us + story.shift_s * S, end_us, max(story.step_s, 900))
                for spans in (whole, [one.span for one in days_until(end_us, DAYS, zone)]):
                    pieces = unheard_pieces(spans, [])
                    in_pieces = count_tallies([one for _, one in pieces], episodes)
                    found = await HistoryReader(engine).activity("cloud-1", spans, end_us)
                    if found is None:
                        assert episodes == []
                        continue
                    tallies = count_tallies(spans, episodes)
                    assert found == combine(spans, tallies, pieces, in_pieces)


async def count(engine: AsyncEngine) -> tuple[int, int]:
    """Return how many tallies there are, and of how many days."""
    async with engine.connect() as connection:
        tallies, days = [
            (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (TALLIES, TALLIED_DAYS)
        ]
    return tallies, days


async def test_a_busy_day_that_is_over_has_tallies_and_a_quiet_one_has_none(
    tmp_path: Path,
) -> None:
    """Nor has the present day, however busy it is."""
    day_us = -(-T0 // DAY_US) * DAY_US - T0
    async with database(tmp_path) as engine:
        store = HistoryStore(engine, "a", 10)
        busy = [state(day_us + number * 10 * S, NAMES[number % 3]) for number in range(BUSY)]
        quiet = [state(day_us + DAY_US + number * 60 * S) for number in range(BUSY - 1)]
        today = [one.order[0] - T0 + 2 * DAY_US for one in busy]
        await store.write(busy + quiet, [])
        await store.write([state(at_us, NAMES[at_us // S // 10 % 3]) for at_us in today], [])

        for _ in range(2):  # the second one finds that nothing is left
            await TallyKeeper(engine).check(asyncio.Event(), 60)

        assert await count(engine) == (12 * 3, 1)  # 1,000 episodes of 10 s are 12 quarters
        async with engine.connect() as connection:
            until_us = (await connection.execute(select(PILLOWS.c.tallied_until_us))).scalar_one()
        assert until_us == T0 + day_us + 2 * DAY_US


async def test_tallies_are_used_until_an_episode_of_their_day_changes(tmp_path: Path) -> None:
    """A recorder that comes late discards them, and they are made again."""
    day_us = -(-T0 // DAY_US) * DAY_US
    async with database(tmp_path) as engine:
        late = HistoryStore(engine, "late", 10)
        await late.write([state(day_us - T0)], [])
        await HistoryStore(engine, "a", 10).write(
            [state(day_us - T0 + number * DAY_US + 3600 * S, "neutral") for number in range(3)], []
        )
        keeper, reader = TallyKeeper(engine, busy=1), HistoryReader(engine)
        await keeper.check(asyncio.Event(), 60)
        assert await count(engine) == (3, 2)
        async with engine.begin() as connection:  # so that it is seen who answers
            await connection.execute(text("UPDATE tallies SET episodes = episodes + 10"))

        async def hugs() -> int:
            found = await reader.activity("cloud-1", [(day_us, day_us + DAY_US)], day_us)
            assert found is not None
            return found.tallies[0, "hugging"].episodes

        assert await hugs() == 11

        await late.write([state(day_us - T0 + 600 * S)], [])

        assert await count(engine) == (0, 0)
        assert await hugs() == 2
        await keeper.check(asyncio.Event(), 60)
        assert await count(engine) == (3, 2)
        assert await hugs() == 2


async def test_a_day_of_which_episodes_are_deleted_has_no_tallies(tmp_path: Path) -> None:
    """Those of the day after stay."""
    day_us = -(-T0 // DAY_US) * DAY_US - T0
    half_us = DAY_US // 2
    async with database(tmp_path) as engine:
        states = [state(day_us + number * half_us + 60 * S) for number in range(5)]
        await HistoryStore(engine, "a", 10).write(states, [])
        keeper = TallyKeeper(engine, busy=1)
        await keeper.check(asyncio.Event(), 60)
        assert await count(engine) == (4, 2)

        await Pruner(engine).prune(T0 + day_us + half_us)

        assert await count(engine) == (2, 1)
        spans = [(T0 + day_us, T0 + day_us + DAY_US)]
        found = await HistoryReader(engine).activity("cloud-1", spans, 2**62)
        assert found is not None
        assert found.tallies[0, "hugging"].episodes == 1


async def test_a_history_of_the_first_version_gets_tallies(tmp_path: Path) -> None:
    """And keeps what it has."""
    async with database(tmp_path) as engine:
        states = [state(number * DAY_US) for number in range(3)]
        await HistoryStore(engine, "a", 10).write(states, [])
        async with engine.begin() as connection:
            for statement in (
                "DROP TABLE tallies",
                "DROP TABLE tallied_days",
                "ALTER TABLE pillows DROP COLUMN tallied_until_us",
                "UPDATE history_version SET version_num = '0001'",
            ):
                await connection.execute(text(statement))

        await migrate(engine)
        await TallyKeeper(engine, busy=1).check(asyncio.Event(), 60)

        assert await count(engine) == (2, 2)
        assert len(await stored_episodes(engine, "cloud-1")) == 3
