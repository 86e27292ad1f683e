"""The journal: states are written in groups, and a disk that fails delays nobody."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog

from poller.journal import journal as module
from poller.journal.journal import Journal
from poller.journal.journal_file import (
    JournalFile,
    JournalRow,
    JournalUnavailable,
    JournalUnreadable,
)
from poller.journal.journal_folder import JournalFolder, OpenedJournal
from poller.metrics import PollerMetrics
from runtime import outage
from tests.unit.poller.journal.test_journal_folder import orders, row
from tests.waiting import until


class Disk:
    """Opens the journals of a folder; opening and each commit fail as a test says."""

    def __init__(self, folder: Path) -> None:
        self.folder = JournalFolder(folder, "pillow", "one")
        self.fails_to_open = False
        self.error: Exception | None = None
        self.commits: list[int] = []
        self.opened: list[OpenedJournal] = []

    def adopt(self, file: JournalFile) -> OpenedJournal:
        """Adopt what was left behind."""
        return self.folder.adopt(file)

    def open(self, journal_id: str | None = None) -> OpenedJournal:
        """Open the journal."""
        if self.fails_to_open:
            raise JournalUnavailable("no such device")
        opened = self.folder.open(journal_id)
        commit = opened.file.commit

        def failing(puts: Sequence[JournalRow], removals: Collection[str] = ()) -> None:
            if self.error is not None:
                raise self.error
            commit(puts, removals)
            self.commits.append(len(puts))

        opened.file.commit = failing  # type: ignore[method-assign]
        self.opened.append(opened)
        return opened


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Return a disk that is tried again soon after a failure."""
    monkeypatch.setattr(module, "RETRY_S", 0.05)
    monkeypatch.setattr(outage, "RECOVERY_S", 0.05)
    return Disk(tmp_path)


@asynccontextmanager
async def running(disk: Disk) -> AsyncIterator[Journal]:
    """Run a journal whose states nobody uses; it is stopped at the end."""
    journal = Journal(disk, PollerMetrics())
    stopping = asyncio.Event()
    task = asyncio.create_task(journal.run(stopping))
    try:
        await journal.wait_tried()
        journal.listen(lambda _opened: None)
        yield journal
        stopping.set()
        async with asyncio.timeout(20):
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        # The journal does not wait until its file is closed, and nobody else can open it before.
        await asyncio.to_thread(journal._thread.shutdown, wait=True)


async def test_what_a_poller_leaves_behind_is_adopted_while_this_one_runs(
    disk: Disk, tmp_path: Path
) -> None:
    """It may never come back; its states are told, and are in this journal then."""
    async with running(disk) as journal:
        told: list[dict[str, int]] = []
        journal.listen(lambda opened: told.append(orders(opened)))
        first = journal.put(row("a", 5))
        assert first is not None
        await first
        with JournalFile(tmp_path / "pillow.two.sqlite3", "two") as other:
            other.commit([row("a", 4), row("b", 1)])
            journal.adopt()
            await until(lambda: not journal._adopts, "looked")
            assert told == []
        journal.adopt()
        await until(lambda: told == [{"b": 1}], "adopted")
    assert on_disk(disk) == {"a": 5, "b": 1}


def on_disk(disk: Disk) -> dict[str, int]:
    """Return the states that another process would find."""
    opened = disk.folder.open()
    opened.file.close()
    return orders(opened)


async def test_states_of_one_moment_are_committed_together(disk: Disk) -> None:
    """Each future is done when its state is on the disk; the newest of a pillow counts."""
    async with running(disk) as journal:
        futures = [journal.put(row(f"p{number % 50}", number)) for number in range(1000)]
        assert all(one is not None and not one.done() for one in futures)
        assert journal.wait_for("p3") is futures[3]
        assert journal.wait_for("unknown") is None
        await asyncio.gather(*(one for one in futures if one is not None))
        assert journal.wait_for("p3") is None
        journal.remove("p1")
        journal.remove("unknown")
        journal.put(row("last", 1))
    assert len(disk.commits) <= 3
    expected = {f"p{number}": 950 + number for number in range(50) if number != 1}
    assert on_disk(disk) == expected | {"last": 1}


@pytest.mark.parametrize("is_full", [True, False])
async def test_a_disk_that_fails_delays_nobody_and_is_used_again(disk: Disk, is_full: bool) -> None:
    """What was to be written meanwhile is written then, once for each pillow."""
    async with running(disk) as journal:
        disk.error = JournalUnavailable("the disk is full", is_full=is_full)
        waiting = journal.put(row("a", 1))
        assert waiting is not None
        async with asyncio.timeout(10):
            await waiting
        assert "the disk is full" in journal.state
        for number in range(2, 100):
            assert journal.put(row("a", number)) is None
        journal.put(row("b", 1))
        journal.remove("b")
        disk.error = None
        await until(lambda: journal.state == "ok", "written again")
        assert journal.wait_for("a") is None
    assert on_disk(disk) == {"a": 99}


async def test_a_journal_that_cannot_be_opened_is_opened_later(disk: Disk) -> None:
    """Its states are told then; what was written meanwhile wins."""
    with disk.folder.open().file as file:
        file.commit([row("a", 1), row("b", 1)])
    disk.fails_to_open = True
    async with running(disk) as journal:
        assert "no such device" in journal.state
        journal.put(row("b", 2))
        told: list[dict[str, int]] = []

        def use(opened: OpenedJournal) -> None:
            told.append(orders(opened))
            journal.take(opened.states["a"].row)

        journal.listen(use)
        disk.fails_to_open = False
        await until(lambda: journal.state == "ok", "opened")
    assert told == [{"a": 1, "b": 1}]
    assert on_disk(disk) == {"a": 1, "b": 2}


async def test_a_file_that_is_damaged_while_it_is_used_is_set_aside(disk: Disk) -> None:
    """Everything is written to a new one, and whoever waits waits for that."""
    async with running(disk) as journal:
        first = journal.put(row("a", 1))
        assert first is not None
        await first
        disk.error = JournalUnreadable("malformed")
        second = journal.put(row("b", 1))
        assert second is not None
        await until(lambda: len(disk.opened) == 2, "opened again")
        disk.error = None
        await until(lambda: journal.state == "ok", "a new file")
        await second
        assert disk.opened[1].file.id == disk.opened[0].file.id
    assert on_disk(disk) == {"a": 1, "b": 1}


async def test_a_file_that_is_deleted_while_it_is_used_is_written_anew(disk: Disk) -> None:
    """With every state, not only those that came since."""
    async with running(disk) as journal:
        first = journal.put(row("a", 1))
        assert first is not None
        await first
        disk.opened[0].file.path.unlink()
        journal.put(row("b", 1))
        await until(lambda: len(disk.opened) == 2 and journal.state == "ok", "a new file")
    assert on_disk(disk) == {"a": 1, "b": 1}


async def test_a_disk_that_does_not_answer_counts_as_failing_until_it_does(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for it meanwhile."""
    monkeypatch.setattr(module, "TIMEOUT_S", 0.05)
    async with running(disk) as journal:
        await until(lambda: journal.state == "ok", "opened")
        answers = asyncio.Event()
        loop = asyncio.get_running_loop()
        commit = disk.opened[0].file.commit

        def slow(puts: Sequence[JournalRow], removals: Collection[str] = ()) -> None:
            asyncio.run_coroutine_threadsafe(answers.wait(), loop).result()
            commit(puts, removals)

        disk.opened[0].file.commit = slow  # type: ignore[method-assign]
        waiting = journal.put(row("a", 1))
        assert waiting is not None
        async with asyncio.timeout(10):
            await waiting
        assert "not answered" in journal.state
        assert journal.put(row("a", 2)) is None
        answers.set()
        await until(lambda: journal.state == "ok", "written again")
    assert on_disk(disk) == {"a": 2}


async def test_a_disk_that_takes_long_for_each_commit_is_one_outage(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two lines, not two for each commit; no message waits for such a disk, also between them."""
    monkeypatch.setattr(module, "TIMEOUT_S", 0.05)
    monkeypatch.setattr(outage, "RECOVERY_S", 2)
    with structlog.testing.capture_logs() as lines:
        async with running(disk) as journal:
            await until(lambda: journal.state == "ok", "opened")
            commit = disk.opened[0].file.commit

            def slow(puts: Sequence[JournalRow], removals: Collection[str] = ()) -> None:
                time.sleep(0.08)
                commit(puts, removals)

            disk.opened[0].file.commit = slow  # type: ignore[method-assign]
            first = journal.put(row("a", 1))
            assert first is not None
            await first
            for number in range(2, 12):
                before = len(disk.commits)
                assert journal.put(row("a", number)) is None
                await until(lambda n=before: len(disk.commits) > n, "committed")  # type: ignore[misc]
                assert "not answered" in journal.state
            disk.opened[0].file.commit = commit  # type: ignore[method-assign]
            # Nothing is put any more: the journal tries its disk by itself.
            await until(lambda: journal.state == "ok", "over")
    assert [one["event"].partition(";")[0] for one in lines] == [
        "the journal cannot be written",
        "the journal is written again",
    ]
    assert lines[1]["failures"] >= 10
    assert on_disk(disk) == {"a": 11}


async def test_messages_wait_for_the_disk_again_as_soon_as_it_answers_in_time(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outage is reported for longer, but the promise holds."""
    monkeypatch.setattr(outage, "RECOVERY_S", 1000)
    async with running(disk) as journal:
        disk.error = JournalUnavailable("the disk is full", is_full=True)
        journal.put(row("a", 1))
        await until(lambda: "the disk is full" in journal.state, "failed")
        disk.error = None
        await until(lambda: bool(disk.commits), "written")
        await until(lambda: journal.put(row("b", len(disk.commits))) is not None, "waited for")
        assert "the disk is full" in journal.state


async def test_the_instances_of_adopted_states_are_known_before_the_first_connection(
    disk: Disk, tmp_path: Path
) -> None:
    """The session subscribes to their marks."""
    JournalFolder(tmp_path, "pillow", "two").open().file.close()
    journal = Journal(disk, PollerMetrics())
    stopping = asyncio.Event()
    task = asyncio.create_task(journal.run(stopping))
    await journal.wait_tried()
    assert set(journal.instances.values()) == {"one", "two"}
    stopping.set()
    await task
    assert isinstance(disk.opened[0].file, JournalFile)


async def test_an_open_journal_measures_its_disk(disk: Disk) -> None:
    """From the start on."""
    async with running(disk) as journal:
        registry = journal._metrics.registry
        await until(
            lambda: (
                (registry.get_sample_value("pillowcast_poller_journal_disk_free_bytes") or 0) > 0
            ),
            "measured",
        )
