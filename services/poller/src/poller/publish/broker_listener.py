"""What the broker reports: states of other publishers, removals, and the state of the connection.

It keeps the last writes up to date and starts the reconciliation.
"""

from typing import Final

import structlog

from contract.updates import Update
from poller.log_once import LogOnce
from poller.metrics import PollerMetrics
from poller.publish.last_writes import LastWrites
from poller.publish.retained_state_reconciler import RetainedStateReconciler
from poller.queue_time import QueueTime

log = structlog.get_logger()

MAX_UNSAVED_MS: Final = 120_000
"""How long before its loss was noticed a broker may have confirmed a state without saving it.

mosquitto saves every 30 s (mosquitto.conf), and a silent broker is noticed after 40 s, twice the
keep-alive (runtime.mqtt); the rest allows for clocks that differ and for a slow machine.
"""


class BrokerListener:
    """Handles the events of the broker; a BrokerEventHandler."""

    def __init__(
        self,
        last_writes: LastWrites,
        reconciler: RetainedStateReconciler,
        metrics: PollerMetrics,
        queue_time: QueueTime,
    ) -> None:
        self._last_writes = last_writes
        self._reconciler = reconciler
        self._metrics = metrics
        self._queue_time = queue_time
        self._lost_ms = 0
        self._log_once = LogOnce()

    def on_state(self, update: Update) -> None:
        """Record a state that the broker sent, and publish the last write again if it is newer.

        A state too far in the future is ignored and counted, because as the last write it would
        supersede every message of its pillow until then.
        """
        if self._queue_time.is_too_far_ahead(update):
            self._metrics.future_states.inc()
            if self._log_once.is_first("future", update.pillow):
                log.warning(
                    "a state from the future on MQTT is ignored; further ones are only counted",
                    pillow=update.pillow,
                )
            return
        if self._last_writes.record_received(update) is not None:
            self._reconciler.republish(update.pillow)

    def on_removed(self, pillow: str) -> None:
        """Forget a pillow that was removed from the broker."""
        self._last_writes.remove(pillow)

    def on_ready(self) -> None:
        """Publish again what the broker no longer has, now that it has sent what it retains."""
        self._metrics.broker_up.set(1)
        for update in tuple(self._last_writes.missing(self._lost_ms - MAX_UNSAVED_MS)):
            self._reconciler.republish(update.pillow)

    def on_lost(self) -> None:
        """Record that the connection was lost, and when."""
        self._metrics.broker_up.set(0)
        self._lost_ms = self._queue_time.now_ms()
        self._last_writes.mark_unconfirmed()
