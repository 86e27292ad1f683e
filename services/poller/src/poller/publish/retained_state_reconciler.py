"""Reconciliation (read repair): the last write is published again when the broker lacks it."""

import asyncio
from collections.abc import Callable
from typing import Final

from contract.updates import with_publish_time
from poller.background_tasks import BackgroundTasks
from poller.metrics import PollerMetrics
from poller.publish.last_writes import LastWrites
from poller.publish.state_publisher import StatePublisher
from runtime.mqtt import BrokerLost, PublishRefused

REFUSED_DELAY_S: Final = 5.0
"""The delay before a publish that the broker refused is repeated, in seconds."""


class RetainedStateReconciler:
    """Publishes last writes again, one publish at a time for each pillow.

    Each repeated publish has a new `published` time, because a broker that dies before it has
    saved the state needs it once more.
    """

    def __init__(
        self,
        broker: StatePublisher,
        last_writes: LastWrites,
        tasks: BackgroundTasks,
        metrics: PollerMetrics,
        clock_ms: Callable[[], int],
    ) -> None:
        self._broker = broker
        self._last_writes = last_writes
        self._tasks = tasks
        self._metrics = metrics
        self._clock_ms = clock_ms
        self._is_stale: dict[str, bool] = {}
        """The pillows with a publish under way, and whether another has to follow it."""

    def republish(self, pillow: str) -> None:
        """Publish the last write of a pillow again, until the broker confirms it."""
        is_running = pillow in self._is_stale
        self._is_stale[pillow] = True
        if not is_running:
            self._tasks.start(self._publish_last_write(pillow))

    async def _publish_last_write(self, pillow: str) -> None:
        try:
            while self._is_stale[pillow]:
                newest = self._last_writes.get(pillow)
                if newest is None:
                    return  # the pillow was removed meanwhile
                self._is_stale[pillow] = False
                update = with_publish_time(newest, self._clock_ms())
                try:
                    await self._broker.publish_state(update, None)
                except PublishRefused:
                    # Repeated until it is accepted, because an operator may correct the ACL.
                    self._is_stale[pillow] = True
                    await asyncio.sleep(REFUSED_DELAY_S)
                    continue
                self._metrics.republished.inc()
                if self._last_writes.record(update) is not None:
                    self._is_stale[pillow] = True
        except BrokerLost:
            pass  # every last write is compared again when the connection is back
        finally:
            del self._is_stale[pillow]
