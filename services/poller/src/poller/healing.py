"""Healing: the broker is given again what it should hold and does not."""

from contract.updates import Update
from poller.broker import Broker
from poller.metrics import PollerMetrics
from poller.newest import Newest
from poller.tasks import Tasks
from runtime.mqtt import BrokerLost, PublishRefused


class Healer:
    """Publishes newest states again, one at a time for each pillow."""

    def __init__(
        self, broker: Broker, newest: Newest, tasks: Tasks, metrics: PollerMetrics
    ) -> None:
        self._broker = broker
        self._newest = newest
        self._tasks = tasks
        self._metrics = metrics
        self._healing: dict[str, bool] = {}
        """Whose newest state is being published again, and whether once more after that."""

    def heal(self, update: Update | None) -> None:
        """Publish the newest state of an update's pillow again; None is nothing to heal."""
        if update is None:
            return
        under_way = update.pillow in self._healing
        self._healing[update.pillow] = True
        if not under_way:
            self._tasks.start(self._publish_newest(update.pillow))

    async def _publish_newest(self, pillow: str) -> None:
        try:
            while self._healing[pillow] and (newest := self._newest.of(pillow)) is not None:
                self._healing[pillow] = False
                await self._broker.publish_state(newest, None)
                self._metrics.healed.inc()
                if self._newest.confirm(newest) is not None:
                    self._healing[pillow] = True
        except (BrokerLost, PublishRefused):
            pass  # the broker is gone; all of it is looked at again when it is back
        finally:
            del self._healing[pillow]
