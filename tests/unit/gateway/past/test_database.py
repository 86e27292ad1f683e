"""Past states of the recorder's database, as the gateway reads them."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from gateway.past.database import DatabasePast
from gateway.past.source import PastUnavailable
from history.database import HistoryUrl
from history.hugs import Hugs
from history.reading import HistoryReader
from history.tallies import Activity, Tally
from recorder.store import HistoryStore
from tests.unit.recorder.histories import T0, S, database, state


async def test_a_pillow_that_the_recorder_knows_has_pages_and_days(tmp_path: Path) -> None:
    """And nobody has those of another one."""
    async with database(tmp_path) as engine:
        await HistoryStore(engine, "a", 10).write([state(0), state(S)], [(T0, T0 + S)])
        past = DatabasePast(HistoryUrl.parse(f"sqlite:///{tmp_path}/history.db"))
        try:
            page = await past.page("cloud-1", (T0, 0), T0 + S, 10)
            steps = [(T0 - S, T0), (T0, T0 + S), (T0 + S, T0 + 2 * S)]
            found = await past.activity("cloud-1", steps, T0 + 60 * S)
            assert page is not None
            assert found is not None
            assert len(page.states) == 1
            assert found.tallies == {(1, "hugging"): Tally(1, S, S)}
            assert found.unheard == [(0, (T0 - S, T0)), (2, (T0 + S, T0 + 2 * S))]
            assert found.unheard_us == [S, 0, S]
            assert await past.hugs(T0, T0 + S) == {"cloud-1": Hugs(1, T0 + S, S)}
            assert await past.page("cloud-2", (0, 0), T0, 10) is None
            assert await past.activity("cloud-2", [(0, T0)], T0) is None
            assert await past.activity("cloud-1", [], T0) == Activity({}, [], [])
        finally:
            await past.close()


@pytest.mark.parametrize(
    "fault", [OperationalError("SELECT", None, OSError("no file")), OSError("no file")]
)
async def test_what_its_library_raises_says_that_it_cannot_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """With the error, in the words of the driver."""

    async def fails(*_: object) -> None:
        raise fault

    for name in ("page", "activity"):
        monkeypatch.setattr(HistoryReader, name, fails)
    past = DatabasePast(HistoryUrl.parse(f"sqlite:///{tmp_path}/history.db"))
    with pytest.raises(PastUnavailable, match="OSError: no file"):
        await past.page("cloud-1", (0, 0), T0, 10)
    with pytest.raises(PastUnavailable, match="OSError: no file"):
        await past.activity("cloud-1", [(0, T0)], T0)


async def test_a_file_that_is_not_there_cannot_answer(tmp_path: Path) -> None:
    """It is not made."""
    past = DatabasePast(HistoryUrl.parse(f"sqlite:///{tmp_path}/history.db"))
    try:
        with pytest.raises(PastUnavailable, match="unable to open database file"):
            await past.page("cloud-1", (0, 0), T0, 10)
        assert not (tmp_path / "history.db").exists()
    finally:
        await past.close()


def test_a_gateway_without_a_database_does_not_load_its_library() -> None:
    """It would take memory and time at each start."""
    script = "import sys, gateway.__main__; print('sqlalchemy' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert found.stdout == "False\n"
