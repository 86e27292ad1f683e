"""The depths of the two queues, measured for the metrics `queue_depth` and `poison_queue_depth`."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Final

import structlog
from prometheus_client import Gauge

from poller.metrics import PollerMetrics
from poller.queues import Queue, QueueDenied, QueueUnavailable
from poller.settle.queue_health import QueueHealth

log = structlog.get_logger()

DEPTH_INTERVAL_S: Final = 30.0
"""The pause between two measurements, because each is billed like any other request."""

POISON_EVERY: Final = 10
"""With every tenth measurement the poison queue is measured too."""


class DepthMonitor:
    """Measures the depth of the queue twice a minute, that of the poison queue every five minutes.

    A queue that denies the measurement is not unhealthy: a shared access signature without the
    right to read is enough for everything else.
    """

    def __init__(self, queue: Queue, health: QueueHealth, metrics: PollerMetrics) -> None:
        self._queue = queue
        self._health = health
        self._metrics = metrics
        self._denied: set[str] = set()

    async def run(self) -> None:
        """Measure until cancelled, beginning when the queue exists."""
        await self._health.first_success.wait()
        for number in count():
            await self._health.wait_retry_after()
            await self._measure("queue", self._queue.depth, self._metrics.queue_depth)
            if number % POISON_EVERY == 0:
                await self._measure(
                    "poison queue", self._queue.poison_depth, self._metrics.poison_queue_depth
                )
            await asyncio.sleep(DEPTH_INTERVAL_S)

    async def _measure(self, name: str, depth: Callable[[], Awaitable[int]], gauge: Gauge) -> None:
        try:
            gauge.set(await depth())
            self._denied.discard(name)
        except QueueUnavailable:
            pass  # counted as a failed request; a failing receive makes the queue unhealthy
        except QueueDenied as error:
            gauge.set(math.nan)
            if name not in self._denied:
                log.info("the depth is not measured", of=f"the {name}", error=str(error))
            self._denied.add(name)
