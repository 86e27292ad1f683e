"""Healing: the broker is given again what it should hold and does not."""

import asyncio
from collections.abc import Callable
from typing import Final

from contract.updates import Update, republished
from poller.metrics import PollerMetrics
from poller.publish.last_write import LastWrites
from poller.publish.state_publisher import StatePublisher
from poller.tasks import Tasks
from runtime.mqtt import BrokerLost, PublishRefused

REFUSED_S: Final = 5.0
"""The pause after a publish that the broker refused."""


class Reconciler:
    """Publishes newest states again, one at a time for each pillow.

    Each says when: until the broker has saved it, it has to be told again if that one dies, too.
    """

    def __init__(
        self,
        broker: StatePublisher,
        last_writes: LastWrites,
        tasks: Tasks,
        metrics: PollerMetrics,
        clock_ms: Callable[[], int],
    ) -> None:
        self._broker = broker
        self._last_writes = last_writes
        self._tasks = tasks
        self._metrics = metrics
        self._clock_ms = clock_ms
        self._healing: dict[str, bool] = {}
        """Whose newest state is being published again, and whether once more after that."""

    def heal(self, update: Update | None) -> None:
        """Publish the newest state of an update's pillow again; None is nothing to heal."""
        if update is None:
            return
        under_way = update.pillow in self._healing
        self._healing[update.pillow] = True
        if not under_way:
            self._tasks.start(self._publish_last_writes(update.pillow))

    async def _publish_last_writes(self, pillow: str) -> None:
        try:
            while self._healing[pillow] and (newest := self._last_writes.of(pillow)) is not None:
                self._healing[pillow] = False
                again = republished(newest, self._clock_ms())
                try:
                    await self._broker.publish_state(again, None)
                except PublishRefused:
                    # Until it is taken, or nothing is to heal: somebody may put the ACL right.
                    self._healing[pillow] = True
                    await asyncio.sleep(REFUSED_S)
                    continue
                self._metrics.healed.inc()
                if self._last_writes.confirm(again) is not None:
                    self._healing[pillow] = True
        except BrokerLost:
            pass  # all of it is looked at again when it is back
        finally:
            del self._healing[pillow]
