"""A bounded queue of updates, which one reader reads.

A reader that keeps up receives every update. For one that does not, the queue is reduced to the
newest update of each pillow, as the gateway does for a slow client.
"""

from collections import deque
from dataclasses import replace
from typing import Final

from pillowcast.pillow_state import Update

MAX_QUEUED: Final = 1_000
"""Above this length, or twice the number of pillows if that is more, it is reduced."""


class UpdateQueue:
    """Updates in their order of arrival."""

    def __init__(self, max_queued: int = MAX_QUEUED) -> None:
        self._max_queued = max_queued
        self._limit = max_queued
        self._updates: deque[Update] = deque()
        self.superseded = 0
        """How many updates were left out, because a newer one of the same pillow waited."""

    def __len__(self) -> int:
        return len(self._updates)

    def push(self, update: Update) -> None:
        """Add an update behind all others."""
        self._updates.append(update)
        if len(self._updates) > self._limit:
            self._reduce()

    def pop(self) -> Update | None:
        """Take the oldest update; None if there is none."""
        return self._updates.popleft() if self._updates else None

    def _reduce(self) -> None:
        newest: dict[str, Update] = {}
        for update in self._updates:
            older = newest.pop(update.pillow, None)
            # The reader has not seen the older one, so what was before that is what it knows.
            newest[update.pillow] = (
                update if older is None else replace(update, previous=older.previous)
            )
        self.superseded += len(self._updates) - len(newest)
        self._updates = deque(newest.values())
        self._limit = max(self._max_queued, 2 * len(newest))
