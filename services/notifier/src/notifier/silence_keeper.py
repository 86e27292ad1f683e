"""Writes how long pillows have been silent, so that a restart does not begin to count anew."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from notifier.detect.marks import Silence
from notifier.detect.pillow_watch import PillowWatch
from notifier.moments import Moments

KEEP_S: Final = 15.0
"""The least time between two writes, in seconds. A kill loses what passed since the last one."""

MAX_RATE: Final = 100
"""How many silences are written a second at most, on average: some 10 KB."""


class SilenceKeeper:
    """Passes the silences to the outbox at intervals, and at the end."""

    def __init__(
        self,
        pillows: PillowWatch,
        moments: Moments,
        keep: Callable[[Sequence[Silence]], None],
    ) -> None:
        self._pillows = pillows
        self._moments = moments
        self._keep = keep
        self._kept = -1

    async def run(self) -> None:
        """Pass them on at intervals until cancelled."""
        while True:
            await asyncio.sleep(max(KEEP_S, self._kept / MAX_RATE))
            self.keep()

    def keep(self) -> None:
        """Pass them on now, unless there are none and there were none the last time."""
        silences = list(self._pillows.silences(self._moments.now()))
        if silences or self._kept:
            self._keep(silences)
        self._kept = len(silences)
