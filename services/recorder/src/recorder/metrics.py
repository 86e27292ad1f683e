"""The recorder's metrics."""

from collections.abc import Callable
from typing import Final

from prometheus_client import Histogram

from runtime.service_metrics import ServiceMetrics

_OUTCOMES: Final = ("state", "removed", "ahead", "invalid", "unknown-topic")
_LOSSES: Final = ("buffer-full", "stopped", "refused", "over-limit")


class RecorderMetrics(ServiceMetrics):
    """Counters and gauges, in a registry of their own."""

    def __init__(self) -> None:
        super().__init__("recorder")
        self.received = self.counter(
            "received", "MQTT messages, by what became of them.", outcome=_OUTCOMES
        )
        self.recorded = self.counter("recorded", "States written that were not there before.")
        self.known = self.counter("known", "States that were there already, and changed nothing.")
        self.lost = self.counter("lost", "States not recorded, by reason.", reason=_LOSSES)
        self.removed = self.counter("removed", "States deleted by retention.")
        self.commit_s = Histogram(
            "pillowcast_recorder_commit_seconds",
            "Duration of a transaction with a batch of states.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=self.registry,
        )
        self.database_up = self.gauge("database_up", "0 during an outage of the database, else 1.")
        self.size_bytes = self.gauge("size_bytes", "What the database has, about.")
        self.limit_bytes = self.gauge("size_limit_bytes", "RECORDER_KEEP_BYTES.")

    def observe(
        self, waiting: Callable[[], int], waiting_bytes: Callable[[], int], limit_bytes: int
    ) -> None:
        """Register what is read at each scrape."""
        self.gauge("waiting", "States that are not written yet.").set_function(waiting)
        gauge = self.gauge("waiting_bytes", "What the states cost that are not written yet.")
        gauge.set_function(waiting_bytes)
        self.gauge("waiting_limit_bytes", "RECORDER_BUFFER_BYTES.").set(limit_bytes)
