"""Timers of pillows and rules that are looked at late. Pure: the time is an argument.

What a timer waits for is put off with every sign of life. It is therefore left where it is, and
looked at when it is due; only then it is put off. A pillow that reports costs nothing here.
"""

import heapq
from collections.abc import Iterator
from typing import NamedTuple


class Timer(NamedTuple):
    """What is due at `due_ms`. `episode` is the change of state that a timer belongs to."""

    due_ms: int
    pillow: str
    rule: int
    episode: int


class Timers:
    """All timers on one clock, the earliest first."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, timer: Timer) -> None:
        """Add a timer."""
        heapq.heappush(self._heap, timer)

    def is_due(self, now_ms: int) -> bool:
        """Return whether a timer is due."""
        return bool(self._heap) and self._heap[0].due_ms <= now_ms

    def due(self, now_ms: int, limit: int) -> Iterator[Timer]:
        """Remove and yield the timers that are due, at most so many; others may be added."""
        for _ in range(limit):
            if not self.is_due(now_ms):
                return
            yield heapq.heappop(self._heap)
