"""The queue during a check: what waited on it before, and whether it answers at all times."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from simulator.targets.azure_queue import QueueView

log = structlog.get_logger()

STUCK_S: Final = 5.0
"""The messages on the queue are no longer waited for when none of them left for this long."""

_INTERVAL_S: Final = 1.0
_POLL_S: Final = 0.1


async def wait_until_empty(queue: QueueView, name: str, stopping: asyncio.Event) -> int:
    """Wait while the messages on a queue become fewer; return how many remain.

    A simulator that runs beside the check adds some, so that there need not be a moment without.
    """
    fewest = await queue.count(name) or 0
    if fewest:
        log.info("waiting for the messages that were on the queue before", queue=name, count=fewest)
    changed = time.monotonic()
    while fewest and not stopping.is_set() and time.monotonic() - changed < STUCK_S:
        await asyncio.sleep(_POLL_S)
        count = await queue.count(name)
        if count is not None and count < fewest:
            fewest, changed = count, time.monotonic()
    return fewest


class QueueWatch:
    """Asks the queue for its length all the time, to know how long it gives no answer."""

    def __init__(self, queue: QueueView, name: str) -> None:
        self._queue, self._name = queue, name
        self._silent_since: float | None = None
        self._longest_s = 0.0

    @property
    def longest_silence_s(self) -> float:
        """The longest time without an answer, up to now."""
        if self._silent_since is None:
            return self._longest_s
        return max(self._longest_s, time.monotonic() - self._silent_since)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Ask while the context is open."""
        asking = asyncio.create_task(self._ask())
        try:
            yield
        finally:
            asking.cancel()
            await asyncio.wait({asking})

    async def _ask(self) -> None:
        while True:
            # From the first request without an answer until one that has it.
            if self._silent_since is None:
                self._silent_since = time.monotonic()
            if await self._queue.answers(self._name):
                self._longest_s = self.longest_silence_s
                self._silent_since = None
            await asyncio.sleep(_INTERVAL_S)
