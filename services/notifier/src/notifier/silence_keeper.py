"""Writes how long pillows have been silent, so that a restart does not begin to count anew."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from notifier.detect.marks import Silence
from notifier.detect.pillow_watch import PillowWatch
from notifier.moments import Moments

KEEP_S: Final = 15.0
"""The time between two writes, in seconds: as much of a silence does a kill lose."""

MAX_RATE: Final = 100
"""How many silences are written a second at most, on average: some 10 KB."""


class SilenceKeeper:
    """Has the silences written from time to time, and at the end. `keep` writes them."""

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
        """Have them written until cancelled."""
        while True:
            await asyncio.sleep(max(KEEP_S, self._kept / MAX_RATE))
            self.keep()

    def keep(self) -> None:
        """Have them written now; where there are none still, nothing is."""
        silences = list(self._pillows.silences(self._moments.now()))
        if silences or self._kept:
            self._keep(silences)
        self._kept = len(silences)
