"""The last writes, and the journal that has those which this poller's messages rest on.

A state that another client published is written to the journal only when it supersedes a message,
because otherwise no message is deleted for it.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from contract.updates import Update
from poller.journal.journal_file import JournalRow
from poller.journal.journal_folder import OpenedJournal
from poller.journal.save_marks import SaveMark, SaveMarks, decode_mark
from poller.publish.last_writes import LastWrites
from poller.publish.pillow_limit import PillowLimit


class StateJournal(Protocol):
    """The journal; see journal.Journal."""

    def listen(self, on_opened: Callable[[OpenedJournal], None]) -> None:
        """Call `on_opened` whenever the journal was opened, and now if it is open."""

    def adopt(self) -> None:
        """Adopt soon what other pollers have left behind."""

    def get(self, pillow: str) -> JournalRow | None:
        """Return the row that the journal has of a pillow, or will have."""

    def take(self, row: JournalRow) -> None:
        """Keep a row of the journal that was opened, also in place of an older one that waits."""

    def put(self, row: JournalRow) -> asyncio.Future[None] | None:
        """Write a row; the future is done when it is on the disk. None while the journal fails."""

    def wait_for(self, pillow: str) -> asyncio.Future[None] | None:
        """Return a future that is done when the row of a pillow is on the disk; None if it is."""

    def remove(self, pillow: str) -> None:
        """Remove a pillow, if the journal has it."""

    def is_removed(self, pillow: str) -> bool:
        """Return whether a removal of a pillow waits to be written."""


class JournaledWrites:
    """Records what the broker has, and writes to the journal what must survive a power cut."""

    def __init__(
        self, marks: SaveMarks, limit: PillowLimit, journal: StateJournal | None = None
    ) -> None:
        self._writes = LastWrites(marks, limit.max_pillows, self._on_forgotten)
        self._limit = limit
        self._journal = journal
        self.has_unmarked = asyncio.Event()
        """Set while a state was recorded that no published mark follows."""

    def __contains__(self, pillow: str) -> bool:
        return pillow in self._writes

    def __len__(self) -> int:
        return len(self._writes)

    @property
    def has_lost(self) -> bool:
        """Whether the broker has lost a last write and not yet confirmed it again."""
        return self._writes.has_lost

    def load(self, opened: OpenedJournal) -> None:
        """Add the states of a journal that was opened, those written longest ago first."""
        if self._journal is None:
            return
        self._writes.marks.change_journal(opened.file.id, opened.last_mark)
        for pillow, state in sorted(opened.states.items(), key=lambda item: item[1].row.mark[1]):
            known = self._writes.get(pillow)
            if self._journal.is_removed(pillow):
                continue
            if known is None or known.order < state.update.order:
                self._journal.take(state.row)
                self._writes.load(state.update, state.row.mark)
                continue
            row = self._journal.get(pillow)
            if row is None:
                self._journal.take(state.row)  # as old as it is, until a message rests on `known`
            elif row != state.row:
                self.journaled(pillow)  # because a message may rest on the newer one of the two

    def get(self, pillow: str) -> Update | None:
        """Return the last write of a pillow, if one is known."""
        return self._writes.get(pillow)

    def supersedes(self, update: Update) -> bool:
        """Return whether a newer state than this, or this very state, is the last write."""
        return self._writes.supersedes(update)

    def record(self, update: Update) -> Update | None:
        """Record a state that the broker confirmed; returns the last write if it is newer."""
        self.has_unmarked.set()
        return self._writes.record(update)

    def record_received(self, update: Update) -> Update | None:
        """Record a state that the broker sent; returns the last write if it is newer."""
        self.has_unmarked.set()
        return self._writes.record_received(update)

    def receive_mark(self, payload: bytes) -> None:
        """Record a mark that the broker had retained."""
        mark = decode_mark(payload)
        if mark is not None:
            self._writes.marks.receive(mark)

    def next_mark(self) -> SaveMark:
        """Return the mark to publish now, behind everything that was recorded."""
        self.has_unmarked.clear()
        return self._writes.marks.advance()

    def journaled(self, pillow: str) -> asyncio.Future[None] | None:
        """Write the last write of a pillow to the journal, unless that has it.

        The future is done when it is on the disk; None if it is, or if there is no journal.
        """
        newest, mark = self._writes.get(pillow), self._writes.mark_of(pillow)
        if self._journal is None or newest is None:
            return None
        row = self._journal.get(pillow)
        if row is not None and row.payload == newest.payload and row.mark == mark:
            return self._journal.wait_for(pillow)
        return self._journal.put(JournalRow(pillow, newest.payload, mark))

    def give_up(self, pillow: str) -> None:
        """Record that a last write is not published on this connection; see LastWrites."""
        self._writes.give_up(pillow)

    def is_journaled(self, pillow: str) -> bool:
        """Return whether the journal has a state of a pillow, or will have."""
        return self._journal is not None and self._journal.get(pillow) is not None

    def remove(self, pillow: str) -> None:
        """Forget a pillow that was removed from the broker."""
        self._writes.remove(pillow)
        self._forget(pillow)

    def mark_unconfirmed(self) -> None:
        """Record that there is another connection: what the broker holds is unknown."""
        self._writes.mark_unconfirmed()

    def compare(self, *, delivers_retained: bool) -> list[Update]:
        """Return what the broker lacks, once it has sent what it retains; forget what is removed.

        The marks of adopted states are replaced by own ones.
        """
        found = self._writes.compare(delivers_retained=delivers_retained)
        for pillow in found.removed:
            self._forget(pillow)
        for pillow in found.marked:
            if self._journal is not None and self._journal.get(pillow) is not None:
                self.journaled(pillow)
        return found.missing

    def adopt(self) -> None:
        """Adopt soon what other pollers have left behind: one may have ended with the broker."""
        if self._journal is not None:
            self._journal.adopt()

    def pass_day(self) -> None:
        """Forget the pillows of which nothing came for a week; called once a day."""
        for pillow in self._writes.pass_day():
            self._forget(pillow)

    def _on_forgotten(self, pillow: str) -> None:
        self._limit.on_forgotten(pillow)
        self._forget(pillow)

    def _forget(self, pillow: str) -> None:
        if self._journal is not None:
            self._journal.remove(pillow)
