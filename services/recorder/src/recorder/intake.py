"""Intake: the states that have arrived and are not written yet, within a limit. Pure."""

from collections import deque
from typing import Final

from contract.updates import Update

ENTRY_OVERHEAD_BYTES: Final = 400
"""What a waiting state costs beside its payload: an object, a tuple and a name."""


class Intake:
    """States in the order of their arrival.

    A state above the limit is not taken: the older ones have waited for longer, and what is missing
    is then one time without a beginning and an end in between.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.lost = 0
        """How many states were not taken."""
        self.bytes = 0
        """What the waiting states cost."""
        self._limit_bytes = limit_bytes
        self._waiting: deque[Update] = deque()

    def __len__(self) -> int:
        """Return how many states wait."""
        return len(self._waiting)

    def add(self, update: Update) -> bool:
        """Add a state; return whether there was room."""
        cost = len(update.payload) + ENTRY_OVERHEAD_BYTES
        if self.bytes + cost > self._limit_bytes:
            self.lost += 1
            return False
        self.bytes += cost
        self._waiting.append(update)
        return True

    def first(self, count: int) -> list[Update]:
        """Return the oldest states, which stay until they are discarded."""
        return [self._waiting[index] for index in range(min(count, len(self._waiting)))]

    def discard(self, count: int) -> None:
        """Remove the oldest states, because they are written."""
        for _ in range(count):
            self.bytes -= len(self._waiting.popleft().payload) + ENTRY_OVERHEAD_BYTES
        assert self.bytes >= 0, f"{len(self._waiting)} waiting states of {self.bytes} bytes"
