"""Pacing: what is to be sent now, what is too late for that, and how long to wait.

Pure: the items in order of their due time and the present time come in, a decision goes out.

The rule: an item's time is counted from the start, never from the one before, so nothing drifts.
What is late is sent at once, up to a second late; what is later than that is passed over and
counted. Where nothing may be missing (`may_skip` false) all of it is sent, however late.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from simulator.stream.faults import Item

LATE_S: Final = 1.0
"""How late an item may be; so after a stall no more than a second's worth goes out at once."""

MOST_AT_ONCE: Final = 1000
"""How many items are sent together; until they are taken no more are made."""

MOST_SKIPPED_AT_ONCE: Final = 1000
"""How many items are passed over in one step: a step must not take long."""


@dataclass(frozen=True, slots=True)
class Step:
    """Send `due`, then wait; `skipped` messages were too late.

    `wait_s` None: there are no more. `late_s` is how late the first of `due` is.
    """

    due: tuple[Item, ...]
    skipped: int
    wait_s: float | None
    late_s: float = 0.0


class Pacer:
    """Goes through a stream of items in step with the time, `speed` times as fast.

    With `speed` None it does not wait at all.
    """

    def __init__(
        self, items: Iterator[Item], *, speed: float | None = 1.0, may_skip: bool = True
    ) -> None:
        self._items = items
        self._next = next(items, None)
        self._speed = speed
        self._may_skip = may_skip and speed is not None

    def step(self, now_s: float, at_most: int = MOST_AT_ONCE) -> Step:
        """Decide what to do `now_s` seconds of the clock after the start, sending `at_most`."""
        speed = self._speed
        until_s = float("inf") if speed is None else now_s * speed
        late_from_s = until_s - LATE_S * (speed or 0) if self._may_skip else -float("inf")
        due: list[Item] = []
        skipped = 0
        item = self._next
        while (
            item is not None
            and item.due_s <= until_s
            and len(due) < at_most
            and skipped < MOST_SKIPPED_AT_ONCE
        ):
            # A network that came or went is not old news.
            if item.due_s < late_from_s and item.link is None:
                skipped += 1
            else:
                due.append(item)
            item = next(self._items, None)
        self._next = item
        if item is None:
            wait_s = None
        elif speed is None:
            wait_s = 0.0
        else:
            wait_s = max(0.0, item.due_s / speed - now_s)
        late_s = now_s - due[0].due_s / speed if due and speed is not None else 0.0
        return Step(tuple(due), skipped, wait_s, max(0.0, late_s))
