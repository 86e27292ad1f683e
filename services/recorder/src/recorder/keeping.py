"""Keeping: deletes what is too old or too much, again and again."""

import asyncio
import contextlib
from typing import Final

import structlog

from history.errors import database_error
from history.slots import SLOT_US
from recorder.metrics import RecorderMetrics
from recorder.pruning import Pruner
from recorder.recording import FAILURES
from recorder.retention import cutoff_us, total_bytes
from recorder.settings import RecorderSettings
from runtime.queue_aware_clock import Clock

log = structlog.get_logger()

CHECK_S: Final = 30.0
"""How often retention is checked: at 5,000 states a second, 40 MB arrive meanwhile."""


class Keeping:
    """Retention beside a recording, on the same database."""

    def __init__(
        self,
        settings: RecorderSettings,
        pruner: Pruner,
        clock: Clock,
        metrics: RecorderMetrics,
    ) -> None:
        self._settings = settings
        self._pruner = pruner
        self._clock = clock
        self._metrics = metrics
        self._pruned_until_us = 0
        metrics.limit_bytes.set(settings.keep_bytes)

    async def run(self, stopping: asyncio.Event) -> None:
        """Check until `stopping` is set. What fails is tried again at the next check."""
        while not stopping.is_set():
            try:
                await self.check()
            except FAILURES as error:
                # The recording reports outages of the database; it writes more often.
                log.debug("retention failed; it is tried again", error=database_error(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), CHECK_S)

    async def check(self) -> None:
        """Delete what is too old or too much now."""
        slots = await self._pruner.slots()
        self._metrics.size_bytes.set(total_bytes(slots))
        now = self._clock.read()
        if now.reference_ms is None:
            return  # no clock here was ever set: nothing is known to be old
        until_us = cutoff_us(
            slots, now.reference_ms * 1000, self._settings.keep_days, self._settings.keep_bytes
        )
        if until_us <= self._pruned_until_us or not any(
            one.slot * SLOT_US < until_us for one in slots
        ):
            return
        removed = await self._pruner.prune(until_us)
        self._pruned_until_us = until_us
        self._metrics.removed.inc(removed)
        log.debug("old states were deleted", states=removed)
