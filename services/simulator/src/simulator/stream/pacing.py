"""Pacing: decides which items are sent now, which are skipped, and how long to wait.

Pure: the items in the order of their due time and the present time are the input.

An item's time is counted from the start and not from the item before it, so no drift accumulates.
An item that is up to a second late is sent at once. A later one is skipped and counted. Where
nothing may be missing (`may_skip` is false), every item is sent, however late.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from simulator.stream.items import StreamItem

MAX_LATE_S: Final = 1.0
"""Longest delay with which an item is sent; so a stall is followed by a burst of one second."""

MAX_BATCH: Final = 1000
"""Limit of items sent together; no more are made until the target has accepted them."""

MAX_SKIPPED_PER_STEP: Final = 1000
"""Limit of items skipped in one step, because a step must not block the event loop."""

MIN_WAIT_S: Final = 1e-8
"""A shorter wait may end before a clock shows another time, and would be repeated without end."""


@dataclass(frozen=True, slots=True)
class Step:
    """Send the items `due`, then wait for `wait_s` seconds; None: there are no more items.

    `skipped` items were too late. `late_s` is how late the first of `due` is, in seconds.
    """

    due: tuple[StreamItem, ...]
    skipped: int
    wait_s: float | None
    late_s: float = 0.0


class Pacer:
    """Releases a stream's items at their time, `speed` times as fast; None: without waiting."""

    def __init__(
        self, items: Iterator[StreamItem], *, speed: float | None = 1.0, may_skip: bool = True
    ) -> None:
        self._items = items
        self._next = next(items, None)
        self._speed = speed
        self._may_skip = may_skip and speed is not None

    def step(self, now_s: float, at_most: int = MAX_BATCH) -> Step:
        """Decide what to do `now_s` seconds after the start; `due` has `at_most` items."""
        speed = self._speed
        until_s = float("inf") if speed is None else now_s * speed
        late_s = until_s - MAX_LATE_S * (speed or 0) if self._may_skip else -float("inf")
        due: list[StreamItem] = []
        skipped = 0
        item = self._next
        while (
            item is not None
            and item.due_s <= until_s
            and len(due) < at_most
            and skipped < MAX_SKIPPED_PER_STEP
        ):
            # A change of the network is never skipped, because later items depend on it.
            if item.due_s < late_s and item.network is None:
                skipped += 1
            else:
                due.append(item)
            item = next(self._items, None)
        self._next = item
        if item is None:
            wait_s = None
        elif speed is None or item.due_s <= until_s:
            wait_s = 0.0
        else:
            wait_s = max(MIN_WAIT_S, item.due_s / speed - now_s)
        first_late_s = now_s - due[0].due_s / speed if due and speed is not None else 0.0
        return Step(tuple(due), skipped, wait_s, max(0.0, first_late_s))
