"""Expiry schedule: whose deadline has passed. Pure: the time is an argument."""

import heapq
from collections.abc import Iterator


class ExpirySchedule:
    """Deadlines by pillow, in milliseconds of a monotonic clock; one a pillow.

    A deadline that moves later is not rescheduled, because each state of a pillow moves it: the
    pillow is due too early, and the caller schedules it again with its new deadline.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        # The valid entry of each pillow; other entries of the heap are stale.
        self._deadlines_ms: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._deadlines_ms)

    @property
    def next_deadline_ms(self) -> int | None:
        """The time before which no pillow is due, in milliseconds; None if none ever is."""
        return self._heap[0][0] if self._heap else None

    def schedule(self, pillow: str, deadline_ms: int) -> None:
        """Make a pillow due at `deadline_ms`, unless it is due earlier already."""
        scheduled_ms = self._deadlines_ms.get(pillow)
        if scheduled_ms is None or deadline_ms < scheduled_ms:
            self._deadlines_ms[pillow] = deadline_ms
            heapq.heappush(self._heap, (deadline_ms, pillow))
            self._drop_stale_entries()

    def cancel(self, pillow: str) -> None:
        """Remove the deadline of a pillow, if it has one."""
        self._deadlines_ms.pop(pillow, None)
        self._drop_stale_entries()

    def pop_due(self, now_ms: int) -> Iterator[str]:
        """Remove and yield the pillows whose deadline is not after `now_ms`, earliest first.

        Deadlines may be scheduled and cancelled between two of them.
        """
        while self._heap and self._heap[0][0] <= now_ms:
            deadline_ms, pillow = heapq.heappop(self._heap)
            if self._deadlines_ms.get(pillow) == deadline_ms:
                del self._deadlines_ms[pillow]
                yield pillow
        assert len(self._heap) >= len(self._deadlines_ms), "a deadline has no entry in the heap"

    def _drop_stale_entries(self) -> None:
        """Rebuild the heap when most of its entries are stale.

        So its size is bounded by the number of pillows, however often deadlines are replaced.
        """
        if len(self._heap) > 2 * len(self._deadlines_ms) + 64:
            self._heap = [(due_ms, pillow) for pillow, due_ms in self._deadlines_ms.items()]
            heapq.heapify(self._heap)
