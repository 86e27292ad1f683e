"""History: the past states that are still in memory. Pure."""

from collections import deque
from collections.abc import Iterator
from typing import Final

ENTRY_OVERHEAD_BYTES: Final = 150
"""What an entry costs beside its payload: three references and two slots in deques."""


class History:
    """Past states of all pillows together, at most `limit_bytes`; the oldest are evicted first."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._states: dict[str, deque[bytes]] = {}
        self._evicted: dict[str, int] = {}  # how many states of each pillow, where it has others
        self._order: deque[str] = deque()  # the pillow of each entry, oldest first
        self._bytes = 0
        self._has_evicted = False

    @property
    def oldest_after_eviction(self) -> bytes | None:
        """The oldest state that is kept, if there were older ones; else None."""
        return self._states[self._order[0]][0] if self._has_evicted and self._order else None

    @property
    def size_bytes(self) -> int:
        """What the entries cost, in bytes."""
        return self._bytes

    def states(self, pillow: str) -> list[bytes]:
        """Return the past states of a pillow that are still kept, as JSON, oldest first."""
        return list(self._states.get(pillow, ()))

    def pillows(self) -> list[str]:
        """Return the pillows of which states are kept."""
        return list(self._states)

    def last_number(self, pillow: str) -> int:
        """Return the number of a pillow's newest state; 0 when none is kept."""
        return self._evicted.get(pillow, 0) + len(self._states.get(pillow, ()))

    def states_after(self, pillow: str, number: int) -> Iterator[tuple[int, bytes]]:
        """Yield the states of a pillow that are still kept and came after another, oldest first.

        Each has its number, from which the walk can go on later.
        The history must not change before the last state that is taken.
        """
        states = self._states.get(pillow, ())
        evicted = self._evicted.get(pillow, 0)
        for index in range(max(0, number - evicted), len(states)):
            yield evicted + index + 1, states[index]

    def append(self, pillow: str, payload: bytes) -> None:
        """Add a state, and evict the oldest of all pillows until the limit holds again."""
        self._states.setdefault(pillow, deque()).append(payload)
        self._order.append(pillow)
        self._bytes += len(payload) + ENTRY_OVERHEAD_BYTES
        while self._bytes > self._limit_bytes and self._order:
            self._evict_oldest()

    def _evict_oldest(self) -> None:
        self._has_evicted = True
        pillow = self._order.popleft()
        states = self._states[pillow]
        self._bytes -= len(states.popleft()) + ENTRY_OVERHEAD_BYTES
        if states:
            self._evicted[pillow] = self._evicted.get(pillow, 0) + 1
        else:
            del self._states[pillow]
            self._evicted.pop(pillow, None)
        assert self._bytes >= 0, f"the history has {self._bytes} bytes"
        assert self._order or not self._bytes, f"an empty history has {self._bytes} bytes"
