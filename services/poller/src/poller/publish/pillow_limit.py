"""The limit of remembered pillows: what happens when one is forgotten."""

import structlog

from poller.metrics import PollerMetrics
from runtime.log_repeats import LogRepeats

log = structlog.get_logger()


class PillowLimit:
    """Counts the pillows that are forgotten, and logs the first of them."""

    def __init__(self, max_pillows: int, metrics: PollerMetrics) -> None:
        self.max_pillows = max_pillows
        self._metrics = metrics
        metrics.pillows_limit.set(max_pillows)
        self._repeats = LogRepeats()

    def on_forgotten(self, pillow: str) -> None:
        """Record that a pillow was forgotten, or not remembered."""
        self._metrics.forgotten_pillows.inc()
        if (repeats := self._repeats.due("forgotten")) is not None:
            log.warning(
                "POLLER_MAX_PILLOWS is reached: pillows are forgotten, the one silent for longest "
                "first; their next states are published, whatever they are",
                limit=self.max_pillows,
                pillow=pillow,
                **repeats,
            )
