"""The depths of the two queues, measured for the metrics `queue_depth` and `poison_queue_depth`.

A poller on standby knows by them whether its queue answers.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from typing import Final

import structlog
from prometheus_client import Gauge

from poller.metrics import PollerMetrics
from poller.queues import Queue, QueueDenied, QueueUnavailable
from poller.settle.queue_health import UNUSED, QueueHealth
from runtime.health import OK
from runtime.log_repeats import LogRepeats

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
        self.health = health
        self._metrics = metrics
        self._is_standby = False
        self._is_due = asyncio.Event()
        self._repeats = LogRepeats()
        # A credential without the right is enough, so its line comes once.
        self._denials = LogRepeats(math.inf)
        self.state = UNUSED
        """`ok`, or why the last measurement failed, for the readiness of a poller on standby."""
        self.has_answered = False
        """Whether the last measurement of the queue succeeded."""

    async def run(self) -> None:
        """Measure until cancelled, beginning when the queue exists, or on standby."""
        await self._wait_begin()
        for number in count():
            await self.health.wait_retry_after()
            self._is_due.clear()
            self._record(await self._measure("queue", self._queue.depth, self._metrics.queue_depth))
            if number % POISON_EVERY == 0:
                await self._measure(
                    "poison queue", self._queue.poison_depth, self._metrics.poison_queue_depth
                )
            with suppress(TimeoutError):
                async with asyncio.timeout(DEPTH_INTERVAL_S):
                    await self._is_due.wait()

    def stand_by(self, *, is_standby: bool) -> None:
        """Record whether this poller stands by; if it does, the depth is measured now."""
        self._is_standby = is_standby
        if is_standby:
            self.measure_now()
        elif self.health.state == OK:
            self._metrics.queue_up.set(1)

    def measure_now(self) -> None:
        """Do not wait for the next measurement."""
        self._is_due.set()

    async def _wait_begin(self) -> None:
        begins = [asyncio.ensure_future(self.health.first_success.wait())]
        begins.append(asyncio.ensure_future(self._is_due.wait()))
        try:
            await asyncio.wait(begins, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for begin in begins:
                begin.cancel()

    async def _measure(
        self, name: str, depth: Callable[[], Awaitable[int]], gauge: Gauge
    ) -> QueueUnavailable | QueueDenied | None:
        """Measure a queue; returns why it failed, if it did."""
        try:
            gauge.set(await depth())
        except QueueUnavailable as error:
            return error  # counted as a failed request; a failing receive makes it unhealthy
        except QueueDenied as error:
            gauge.set(math.nan)
            if self._denials.due("denied", name) is not None:
                log.info(
                    "the depth is not measured; its metric is NaN until it is",
                    of=f"the {name}",
                    error=str(error),
                )
            return error
        self._denials.is_over("denied", name)
        return None

    def _record(self, error: QueueUnavailable | QueueDenied | None) -> None:
        """Record what a measurement of the queue says about it."""
        self.has_answered = error is None
        self.state = f"measure: {error}" if isinstance(error, QueueUnavailable) else OK
        if not self._is_standby:
            return
        answers = self.state == OK
        self._metrics.queue_up.set(answers)
        if answers:
            if self._repeats.is_over("standby"):
                log.info("the queue answers this poller again, which stands by")
        elif (repeats := self._repeats.due("standby")) is not None:
            log.warning(
                "the queue does not answer this poller, which stands by",
                error=str(error),
                **repeats,
            )
