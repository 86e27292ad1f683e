"""Keeping: deletes what is too old or too much, again and again."""

import asyncio

import structlog

from history.slots import SLOT_US
from recorder.metrics import RecorderMetrics
from recorder.pruning import Pruner
from recorder.repeated import repeat
from recorder.retention import cutoff_us, total_bytes
from recorder.settings import RecorderSettings
from runtime.queue_aware_clock import Clock

log = structlog.get_logger()


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
        """Check until `stopping` is set."""
        await repeat(self.check, "retention", stopping)

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
