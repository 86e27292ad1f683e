"""The hugs of today, counted seldom, however many ask.

Every open page asks once a minute, and all of one time zone for the same: the answer of a few
seconds ago is as good as a new one, because a page counts on with what it sees itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from history.hugs import Hugs
from runtime.clocks import monotonic_s

KEPT_S: Final = 10.0
"""How long a count is used again, at least."""

COST_SHARE: Final = 0.05
"""A count that took long is used longer: counting takes at most this share of the time, and day."""

MAX_DAYS: Final = 40
"""How many counts are kept: days begin at 38 instants, because time zones differ in that many."""

MAX_PILLOWS: Final = 500_000
"""How many pillows all counts have together, about 300 bytes each, unless the newest alone has
more."""


@dataclass(frozen=True, slots=True)
class Count:
    """The hugs of each pillow until an instant, and whether they are of the database.

    `bodies` is for what is made of it for many requests.
    """

    hugs: Mapping[str, Hugs]
    until_us: int
    is_recorded: bool
    bodies: dict[str, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class _Entry:
    task: "asyncio.Task[Count]"
    stale_s: float | None = None  # None while it is being counted
    pillows: int = 0


class HugsOfToday:
    """Counts of days that have begun at different instants, because of time zones."""

    def __init__(
        self,
        ask: Callable[[int, int], Awaitable[tuple[Mapping[str, Hugs], bool]]],
        now_us: Callable[[], int],
    ) -> None:
        """`ask` counts between two instants, and says whether the database did; it never raises."""
        self._ask = ask
        self._now_us = now_us
        self._entries: dict[int, _Entry] = {}

    async def since(self, from_us: int) -> Count:
        """Return the hugs since an instant, counted at most a little ago."""
        entry = self._entries.get(from_us)
        if entry is None or (entry.stale_s is not None and entry.stale_s <= monotonic_s()):
            entry = self._start(from_us)
        # Shielded, because others wait for the same count when one request is cancelled.
        return await asyncio.shield(entry.task)

    def _start(self, from_us: int) -> _Entry:
        self._entries.pop(from_us, None)
        began_s = monotonic_s()
        entry = _Entry(asyncio.create_task(self._count(from_us), name="hugs of today"))
        self._entries[from_us] = entry

        def finish(task: "asyncio.Task[Count]") -> None:
            if task.cancelled() or task.exception() is not None:
                self._entries.pop(from_us, None)
                return
            now_s = monotonic_s()
            entry.stale_s = now_s + max(KEPT_S, (now_s - began_s) / COST_SHARE)
            entry.pillows = len(task.result().hugs)
            self._evict(from_us)

        entry.task.add_done_callback(finish)
        return entry

    async def _count(self, from_us: int) -> Count:
        until_us = self._now_us()
        hugs, is_recorded = await self._ask(from_us, until_us)
        return Count(hugs, until_us, is_recorded)

    def _evict(self, kept_us: int) -> None:
        """Remove the oldest counts until the limits hold; one that is being made stays."""
        pillows = sum(one.pillows for one in self._entries.values())
        for from_us, entry in list(self._entries.items()):
            if len(self._entries) <= MAX_DAYS and pillows <= MAX_PILLOWS:
                return
            if entry.stale_s is not None and from_us != kept_us:
                del self._entries[from_us]
                pillows -= entry.pillows
