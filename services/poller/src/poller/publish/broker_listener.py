"""What the broker reports: states of other publishers, removals, and the state of the connection.

It keeps the last writes up to date and starts the reconciliation.
"""

import structlog

from contract.updates import Update
from poller.metrics import PollerMetrics
from poller.publish.journaled_writes import JournaledWrites
from poller.publish.retained_state_reconciler import RetainedStateReconciler
from poller.publish.state_publisher import StatePublisher
from poller.queue_time import QueueTime
from runtime.log_repeats import LogRepeats

log = structlog.get_logger()


class BrokerListener:
    """Handles the events of the broker; a BrokerEventHandler."""

    def __init__(
        self,
        broker: StatePublisher,
        last_writes: JournaledWrites,
        reconciler: RetainedStateReconciler,
        metrics: PollerMetrics,
        queue_time: QueueTime,
    ) -> None:
        self._broker = broker
        self._last_writes = last_writes
        self._reconciler = reconciler
        self._metrics = metrics
        self._queue_time = queue_time
        self._is_ready = False
        self._repeats = LogRepeats()

    def on_state(self, update: Update) -> None:
        """Record a state that the broker sent, and publish the last write again if it is newer.

        A state too far in the future is ignored and counted, because as the last write it would
        supersede every message of its pillow until then.
        """
        if self._queue_time.is_too_far_ahead(update):
            self._metrics.future_states.inc()
            if (repeats := self._repeats.due("future", update.pillow)) is not None:
                log.warning(
                    "a state from the future on MQTT is ignored; further ones are only counted",
                    pillow=update.pillow,
                    **repeats,
                )
            return
        if self._last_writes.record_received(update) is not None:
            self._reconciler.republish(update.pillow)

    def on_removed(self, pillow: str) -> None:
        """Forget a pillow that was removed from the broker."""
        self._last_writes.remove(pillow)

    def on_mark(self, payload: bytes) -> None:
        """Record a save mark that the broker had retained; later ones are not of its saving."""
        if not self._is_ready:
            self._last_writes.receive_mark(payload)

    def on_connecting(self) -> None:
        """Forget what the broker sent on another connection: it may have lost it since."""
        self._last_writes.mark_unconfirmed()

    def on_ready(self) -> None:
        """Publish again what the broker no longer has, now that it has sent what it retains."""
        self._is_ready = True
        self._metrics.broker_up.set(1)
        self.compare()
        self._last_writes.adopt()

    def compare(self) -> None:
        """Publish again what the broker lacks, if it has sent what it retains."""
        if self._is_ready:
            delivers_retained = self._broker.delivers_retained
            for update in self._last_writes.compare(delivers_retained=delivers_retained):
                self._reconciler.republish(update.pillow)

    def on_lost(self) -> None:
        """Record that the connection was lost."""
        self._is_ready = False
        self._metrics.broker_up.set(0)
        self._last_writes.mark_unconfirmed()
