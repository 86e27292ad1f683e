"""Retention: what is deleted, and what stays."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from history.reading import HistoryReader
from history.schema import EPISODES, LISTENED, PILLOWS, SIZES, STATES
from history.slots import SLOT_US
from recorder import pruning
from recorder.pruning import Pruner
from recorder.retention import DAY_US, Slot, cutoff_us
from recorder.store import HistoryStore
from tests.unit.recorder.histories import T0, S, database, state, stored_episodes

SLOTS = st.lists(
    st.builds(Slot, st.integers(0, 3000), st.integers(1, 1000), st.integers(0, 100_000)),
    unique_by=lambda one: one.slot,
    max_size=40,
)
NOW_SLOT = 3000


@given(SLOTS, st.floats(0.01, 20), st.integers(0, 5_000_000))
def test_what_stays_is_young_enough_and_within_the_limit(
    slots: list[Slot], keep_days: float, keep_bytes: int
) -> None:
    """But for the slot that is now; and nothing younger goes than what stays."""
    now_us = NOW_SLOT * SLOT_US + 7
    until_us = cutoff_us(slots, now_us, keep_days, keep_bytes)

    assert until_us % SLOT_US == 0
    assert until_us <= now_us
    kept = [one for one in slots if one.slot * SLOT_US >= until_us]
    before_now = [one for one in kept if one.slot < NOW_SLOT]
    assert all((one.slot + 1) * SLOT_US > now_us - keep_days * DAY_US - SLOT_US for one in kept)
    now_bytes = sum(one.size_bytes for one in kept if one.slot == NOW_SLOT)
    if before_now:
        assert sum(one.size_bytes for one in before_now) + now_bytes <= keep_bytes


def test_the_oldest_slot_goes_first() -> None:
    """As much as is needed."""
    slots = [Slot(number, 1, 880) for number in range(10)]  # 1,000 bytes each

    assert cutoff_us(slots, 9 * SLOT_US, 1000, 4000) == 6 * SLOT_US


async def test_pruning_deletes_before_an_instant_and_nothing_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In steps; a pillow of which nothing is left goes too."""
    monkeypatch.setattr(pruning, "STEP", 3)
    old = [state(number * S, pillow="cloud-1") for number in range(10)]
    gone = [state(0, pillow="cloud-2")]
    young = [state(SLOT_US + number * S, "neutral", "cloud-1") for number in range(4)]
    async with database(tmp_path) as engine:
        store = HistoryStore(engine, "a", 10)
        await store.write([*old, *gone, *young], [(T0, T0 + S), (T0, T0 + 2 * SLOT_US)])

        assert await Pruner(engine).prune(T0 + SLOT_US) == 11

        async with engine.connect() as connection:
            counts = [
                (await connection.execute(select(func.count()).select_from(table))).scalar_one()
                for table in (STATES, EPISODES, SIZES, PILLOWS, LISTENED)
            ]
        assert counts == [4, 1, 1, 1, 1]
        page = await HistoryReader(engine).page("cloud-1", (0, 0), 2**62, 100)
        assert page is not None
        assert list(page.states) == [one.payload.decode() for one in young]


async def test_the_file_becomes_smaller_but_keeps_a_little_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several steps; what is left is there."""
    monkeypatch.setattr(pruning, "VACUUM_PAGES", 7)
    async with database(tmp_path) as engine:
        store = HistoryStore(engine, "a", 10)
        for start in range(0, 3000, 500):
            await store.write([state((start + one) * S) for one in range(500)], [])

        await Pruner(engine).prune(T0 + 7 * SLOT_US)

        async with engine.connect() as connection:
            free, pages = [
                (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
                for name in ("freelist_count", "page_count")
            ]
            whole = (await connection.execute(text("PRAGMA integrity_check"))).scalar_one()
            count = select(func.count()).select_from(STATES)
            left = (await connection.execute(count)).scalar_one()
    assert (whole, left) == ("ok", 900)
    assert 0 < free <= pages // 5
    assert pages * 4096 < 250_000


async def test_a_pillow_that_was_deleted_can_come_back(tmp_path: Path) -> None:
    """Also where another process deleted it: `recorder prune`, or another recorder."""
    async with database(tmp_path) as engine:
        store = HistoryStore(engine, "a", 10)
        await store.write([state(0)], [])
        await Pruner(engine).prune(T0 + SLOT_US)

        await store.write([state(2 * SLOT_US)], [])
        await store.write([state(2 * SLOT_US + S)], [])

        page = await HistoryReader(engine).page("cloud-1", (0, 0), 2**62, 100)
        found = await stored_episodes(engine, "cloud-1")
    assert page is not None
    assert len(page.states) == 2
    assert [(one.began_us, one.reports) for one in found] == [(T0 + 2 * SLOT_US, 2)]
