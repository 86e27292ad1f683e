"""The journal while the poller runs: states are written in groups, off the event loop.

A message may be deleted when the journal has its state. A publish never waits for the journal.
While writing fails or takes long, nothing waits for it: fresh states are worth more than the
promise, and the failure is in the log, in readiness and in the metrics. What was to be written is
kept in memory, one row for each pillow, and is written later.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from poller.journal.journal_disk import INTERVAL_S, JournalDisk
from poller.journal.journal_file import (
    JournalFile,
    JournalRow,
    JournalUnavailable,
    JournalUnreadable,
)
from poller.journal.journal_folder import OpenedJournal, set_aside
from poller.journal.journal_health import JournalHealth
from poller.journal.row_batch import RowBatch
from poller.metrics import PollerMetrics

_Result = TypeVar("_Result")

GROUP_S: Final = 0.01
"""The least time between two commits, in seconds: the states of this time share one."""

TIMEOUT_S: Final = 5.0
"""How long the disk may take until the journal counts as failing, in seconds."""

RETRY_S: Final = 5.0
"""The delay before the journal is tried again after a failure, in seconds."""


class JournalOpener(Protocol):
    """Opens the journal; see JournalFolder. It blocks."""

    def open(self, journal_id: str | None = None) -> OpenedJournal:
        """Open the journal; raises JournalUnavailable."""

    def adopt(self, file: JournalFile) -> OpenedJournal:
        """Adopt the journals of pollers that ended meanwhile; returns only what is adopted."""


class Journal:
    """Writes the last states of pillows; a pillow's newest row replaces those before it.

    Invariant: `put` returns a future that is done only after the row, or a later one of its pillow,
    is on the disk, or while the journal fails.
    """

    def __init__(self, opener: JournalOpener, metrics: PollerMetrics) -> None:
        self._opener = opener
        self._metrics = metrics
        self._file: JournalFile | None = None
        self._id: str | None = None
        self._on_opened: Callable[[OpenedJournal], None] | None = None
        self._opened: OpenedJournal | None = None
        """What a journal had that was opened before `_on_opened` was known."""
        self._rows: dict[str, JournalRow] = {}
        """What the file has, or will have."""
        self._pending = RowBatch()
        self._writing = RowBatch()
        self._has_pending = asyncio.Event()
        self._adopts = False
        self._thread = ThreadPoolExecutor(1, "journal")
        self._is_late = False
        """Whether work of the last turn took longer than TIMEOUT_S."""
        self._health = JournalHealth(metrics)
        self._disk = JournalDisk(metrics)

    @property
    def state(self) -> str:
        """`ok`, and why the journal fails if it does, for readiness."""
        return self._health.state

    @property
    def instances(self) -> Mapping[str, str]:
        """The journals whose marks the states had when it was opened, with their instances."""
        return {} if self._opened is None else self._opened.instances

    def listen(self, on_opened: Callable[[OpenedJournal], None]) -> None:
        """Call `on_opened` whenever the journal was opened, and now if it is open."""
        self._on_opened = on_opened
        if self._opened is not None:
            self._begin(self._opened, set(self._opened.states))
            self._opened = None

    def get(self, pillow: str) -> JournalRow | None:
        """Return the row that the journal has of a pillow, or will have."""
        return self._rows.get(pillow)

    def take(self, row: JournalRow) -> None:
        """Keep a row of the journal that was opened, also in place of an older one that waits."""
        self._rows[row.pillow] = row
        if row.pillow in self._pending.rows:
            self._pending.rows[row.pillow] = row

    def put(self, row: JournalRow) -> asyncio.Future[None] | None:
        """Write a row; the future is done when it is on the disk. None while the journal fails."""
        self._rows[row.pillow] = self._pending.rows[row.pillow] = row
        self._has_pending.set()
        return self.wait_for(row.pillow)

    def wait_for(self, pillow: str) -> asyncio.Future[None] | None:
        """Return a future that is done when the row of a pillow is on the disk; None if it is."""
        if not self._health.is_waited_for:
            return None
        for batch in (self._pending, self._writing):
            if pillow in batch.rows:
                return batch.committed
        return None

    def remove(self, pillow: str) -> None:
        """Remove a pillow, if the journal has it."""
        if self._rows.pop(pillow, None) is not None:
            self._pending.rows[pillow] = None
            self._has_pending.set()

    def is_removed(self, pillow: str) -> bool:
        """Return whether a removal of a pillow waits to be written."""
        return self._pending.rows.get(pillow, self) is None

    def adopt(self) -> None:
        """Adopt soon what other pollers have left behind."""
        self._adopts = True
        self._has_pending.set()

    async def wait_tried(self) -> None:
        """Wait until the journal is open, or cannot be opened now."""
        await self._health.was_tried.wait()

    async def run(self, stopping: asyncio.Event) -> None:
        """Write until `stopping` is set and everything is written, or cannot be."""
        stopped = asyncio.ensure_future(stopping.wait())
        try:
            while True:
                works = await self._work_once()
                await self._measure_disk()
                if stopping.is_set() and not (works and self._pending.rows):
                    break
                await asyncio.wait((stopped,), timeout=GROUP_S if works else RETRY_S)
                if works:
                    await self._wait_pending(stopped)
        finally:
            stopped.cancel()
            self._pending.release()
            if self._file is not None:
                # Without a wait for a disk that does not answer.
                self._thread.submit(self._file.close)
            self._thread.shutdown(wait=False)

    async def _wait_pending(self, stopped: "asyncio.Future[Any]") -> None:
        """Wait for something to write; during an outage not for long, to see when it is over."""
        timeout_s = RETRY_S if self._health.is_in_outage else INTERVAL_S
        pending = asyncio.ensure_future(self._has_pending.wait())
        await asyncio.wait(
            (stopped, pending), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        pending.cancel()

    async def _work_once(self) -> bool:
        """Open the journal if it is not open, and write what is pending; returns whether it works.

        A file that turns out to be damaged is set aside, and everything is written to a new one.
        """
        self._is_late = False
        try:
            for _ in range(2):
                if self._file is None:
                    await self._open()
                try:
                    await self._adopt()
                    await self._write()
                except JournalUnreadable as error:
                    await self._set_aside(error)
                else:
                    if not self._is_late:
                        self._health.record_success()
                    return True
        except JournalUnavailable as error:
            self._fail(str(error))
            if not error.is_full:
                await self._close()
        return False

    async def _open(self) -> None:
        opened = await self._in_thread(partial(self._opener.open, self._id))
        self._file, self._id = opened.file, opened.file.id
        if self._on_opened is None:
            self._opened = opened
        else:
            self._begin(opened, set(opened.states) | self._rows.keys())

    async def _adopt(self) -> None:
        while self._adopts and self._file is not None and self._on_opened is not None:
            self._adopts = False
            adopted = await self._in_thread(partial(self._opener.adopt, self._file))
            if adopted.states:
                self._begin(adopted, set(adopted.states))

    def _begin(self, opened: OpenedJournal, pillows: set[str]) -> None:
        """Report a journal that was opened, and write what it does not have of `pillows`."""
        assert self._on_opened is not None
        self._on_opened(opened)
        for pillow in pillows & self._rows.keys():
            known = opened.states.get(pillow)
            is_written = known is not None and pillow not in opened.unwritten
            if not (is_written and known is not None and known.row == self._rows[pillow]):
                self._pending.rows[pillow] = self._rows[pillow]
                self._has_pending.set()

    async def _write(self) -> None:
        """Commit what is pending; during an outage something that is known, if nothing is."""
        if self._health.is_in_outage and self._rows and not self._pending.rows:
            pillow, row = next(iter(self._rows.items()))
            self._pending.rows[pillow] = row
        batch = self._writing = self._pending
        self._pending = RowBatch()
        self._has_pending.clear()
        if not batch.rows:
            return
        puts = [row for row in batch.rows.values() if row is not None]
        removals = [pillow for pillow, row in batch.rows.items() if row is None]
        assert self._file is not None
        try:
            with self._metrics.journal_commit_s.time():
                await self._in_thread(partial(self._file.commit, puts, removals))
        except BaseException:
            self._pending = batch.followed_by(self._pending)
            self._has_pending.set()
            raise
        finally:
            self._writing = RowBatch()
        batch.release()
        self._metrics.journal_rows.inc(len(puts))

    async def _measure_disk(self) -> None:
        if self._file is not None and self._disk.is_due:
            await self._in_thread(partial(self._disk.measure, self._file.path.parent))

    async def _set_aside(self, error: JournalUnreadable) -> None:
        file, self._file = self._file, None
        assert file is not None

        def work() -> None:
            with contextlib.suppress(JournalUnavailable, JournalUnreadable):
                file.close()
            set_aside(file.path, error)

        try:
            await self._in_thread(work)
        except OSError as failed:
            raise JournalUnavailable(str(failed)) from None
        # Not only what is pending, because the new file has nothing.
        self._pending = RowBatch(dict(self._rows)).followed_by(self._pending)

    async def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(JournalUnavailable, JournalUnreadable):
                await self._in_thread(file.close)

    async def _in_thread(self, work: Callable[[], _Result]) -> _Result:
        """Do work in the thread; it counts as failing meanwhile if the disk takes long."""
        result = asyncio.get_running_loop().run_in_executor(self._thread, work)
        done, _ = await asyncio.wait((result,), timeout=TIMEOUT_S)
        if done:
            return result.result()
        self._is_late = True
        self._fail(f"the disk has not answered for {TIMEOUT_S:g} s")
        try:
            return await result
        finally:
            self._health.record_late_end()

    def _fail(self, error: str) -> None:
        self._health.record_failure(error)
        self._writing.release()
        self._pending.release()
