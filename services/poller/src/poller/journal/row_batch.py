"""Rows of the journal that are written together, and who waits for them."""

import asyncio

from poller.journal.journal_file import JournalRow


class RowBatch:
    """The newest row of each pillow, None for a pillow to remove; the futures of who waits."""

    def __init__(self, rows: dict[str, JournalRow | None] | None = None) -> None:
        self.rows: dict[str, JournalRow | None] = {} if rows is None else rows
        self._committed: list[asyncio.Future[None]] = []

    @property
    def committed(self) -> asyncio.Future[None]:
        """A future that is done when the rows are on the disk."""
        if not self._committed:
            self._committed.append(asyncio.get_running_loop().create_future())
        return self._committed[-1]

    def release(self) -> None:
        """End every wait for the rows."""
        for committed in self._committed:
            if not committed.done():
                committed.set_result(None)
        self._committed.clear()

    def followed_by(self, later: "RowBatch") -> "RowBatch":
        """Return a batch with the rows of both, those of the later one where both have some."""
        both = RowBatch(self.rows | later.rows)
        both._committed = self._committed + later._committed
        return both
