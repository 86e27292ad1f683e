"""A power cut: what a disk did not have yet is missing at the end, and nobody listened then."""

import shutil
import sqlite3
from pathlib import Path

from history.database import HistoryUrl, open_database
from history.reading import HistoryReader
from recorder.store import HistoryStore
from tests.unit.recorder.histories import T0, S, database, state

BATCHES = 12


async def test_whatever_part_of_the_log_is_left_the_rest_is_told_as_unheard(
    tmp_path: Path,
) -> None:
    """States and the time of listening are of one transaction: none is missing in between."""
    async with database(tmp_path) as engine:
        store = HistoryStore(engine, "a", 10)
        for batch in range(BATCHES):
            states = [state((batch * 5 + one) * S, seq=batch * 5 + one) for one in range(5)]
            await store.write(states, [(T0, T0 + (batch * 5 + 5) * S)])
        log = tmp_path / "history.db-wal"
        size = log.stat().st_size
        cuts = [tmp_path / f"cut-{number}" for number in range(15)]
        for number, folder in enumerate(cuts):
            folder.mkdir()
            shutil.copy(tmp_path / "history.db", folder / "history.db")
            left = log.read_bytes()[: size * (number + 1) // len(cuts)]
            # A page that was being written may be there in part, or be something else.
            torn = left[:-2000] + b"\xff" * 900 if number % 2 else left
            (folder / "history.db-wal").write_bytes(torn)

    counts = [await _recorded(folder) for folder in cuts]
    assert counts == sorted(counts)
    assert counts[-1] >= (BATCHES - 1) * 5


async def _recorded(folder: Path) -> int:
    """Check a database after a cut; return how many states it has."""
    with sqlite3.connect(folder / "history.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        made = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'listened'")
        if made.fetchone() == (0,):
            return 0
    engine = open_database(HistoryUrl.parse(f"sqlite:///{folder}/history.db"), read_only=True)
    try:
        reader = HistoryReader(engine)
        states = [one async for page in reader.walk("cloud-1", 0, 2**62) for one in page]
        count = len(states)
        whole = [(T0, T0 + BATCHES * 5 * S)]
        found = await reader.activity("cloud-1", whole, T0 + 3600 * S)
        assert count % 5 == 0
        if count and count < BATCHES * 5:
            assert found is not None
            assert found.unheard == [(0, (T0 + count * S, T0 + BATCHES * 5 * S))]
        return count
    finally:
        await engine.dispose()
