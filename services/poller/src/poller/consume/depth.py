"""The depth of the queue, measured for the metric `queue_depth`."""

import asyncio
from typing import Final

import structlog

from poller.metrics import PollerMetrics
from poller.queues import Queue, QueueDenied, QueueUnavailable
from poller.settle.queue_health import QueueHealth

log = structlog.get_logger()

DEPTH_INTERVAL_S: Final = 30.0
"""The pause between two measurements, because each is billed like any other request."""


class DepthMonitor:
    """Measures the depth of the queue twice a minute.

    A queue that denies the measurement is not unhealthy: a shared access signature without the
    right to read is enough for everything else.
    """

    def __init__(self, queue: Queue, health: QueueHealth, metrics: PollerMetrics) -> None:
        self._queue = queue
        self._health = health
        self._metrics = metrics
        self._denied_before = False

    async def run(self) -> None:
        """Measure until cancelled, beginning when the queue exists."""
        await self._health.first_success.wait()
        while True:
            await self._health.wait_retry_after()
            await self._measure()
            await asyncio.sleep(DEPTH_INTERVAL_S)

    async def _measure(self) -> None:
        try:
            self._metrics.queue_depth.set(await self._queue.depth())
            self._denied_before = False
        except QueueUnavailable:
            pass  # counted as a failed request; a failing receive makes the queue unhealthy
        except QueueDenied as error:
            self._metrics.queue_depth.set(float("nan"))
            if not self._denied_before:
                log.info("the queue's depth is not measured", error=str(error))
            self._denied_before = True
