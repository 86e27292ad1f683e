"""Journals that are adopted while a poller runs: nothing newer is replaced by something older."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from contract.updates import Update, decode_state
from poller.journal.journal import Journal
from poller.journal.journal_file import JournalFile, JournalLocked
from poller.journal.journal_folder import JournalFolder
from poller.journal.save_marks import SaveMarks
from poller.metrics import PollerMetrics
from poller.publish.journaled_writes import JournaledWrites
from poller.publish.pillow_limit import PillowLimit
from tests.unit.poller.journal.test_journal_folder import orders, row
from tests.waiting import until


def confirmed(at_s: int) -> Update:
    """Return the state of the pillow "a" that a row of the same time has."""
    found = decode_state("a", row("a", at_s).payload)
    assert isinstance(found, Update)
    return found


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[Journal, JournaledWrites]]:
    """Run the journal of "one" and the writes that use it; it is stopped at the end."""
    journal = Journal(JournalFolder(folder, "pillow", "one"), PollerMetrics())
    stopping = asyncio.Event()
    task = asyncio.create_task(journal.run(stopping))
    await journal.wait_tried()
    writes = JournaledWrites(SaveMarks("ff"), PillowLimit(10, PollerMetrics()), journal)
    journal.listen(writes.load)
    writes.compare(delivers_retained=True)
    yield journal, writes
    stopping.set()
    async with asyncio.timeout(20):
        await task
    # It does not wait for its thread, which closes the file.
    await until(lambda: is_closed(folder / "pillow.one.sqlite3"), "the journal is closed")


def is_closed(path: Path) -> bool:
    """Return whether no poller has a journal open."""
    try:
        JournalFile(path).close()
    except JournalLocked:
        return False
    return True


def on_disk(folder: Path) -> dict[str, int]:
    """Return the states that the next poller would find."""
    opened = JournalFolder(folder, "pillow", "one").open()
    opened.file.close()
    return orders(opened)


def leave_behind(folder: Path, at_s: int) -> None:
    """Leave the journal of another poller behind, with a state of the pillow "a"."""
    with JournalFile(folder / "pillow.two.sqlite3", "two") as other:
        other.commit([row("a", at_s)])


async def test_an_older_state_of_the_own_journal_does_not_replace_an_adopted_one(
    tmp_path: Path,
) -> None:
    """The broker sent the newer one, which only the other poller had written."""
    async with running(tmp_path) as (journal, writes):
        writes.record(confirmed(1))
        first = writes.journaled("a")
        assert first is not None
        await first
        writes.record_received(confirmed(2))
        leave_behind(tmp_path, 2)
        journal.adopt()
        await until(lambda: not (tmp_path / "pillow.two.sqlite3").exists(), "adopted")
    assert on_disk(tmp_path) == {"a": 2}


async def test_an_older_state_that_waits_does_not_replace_an_adopted_one(tmp_path: Path) -> None:
    """The broker had lost the newer one, so that only its journal has it."""
    async with running(tmp_path) as (journal, writes):
        leave_behind(tmp_path, 2)
        writes.record(confirmed(1))
        writes.journaled("a")
        journal.adopt()
        await until(lambda: not (tmp_path / "pillow.two.sqlite3").exists(), "adopted")
    assert on_disk(tmp_path) == {"a": 2}
