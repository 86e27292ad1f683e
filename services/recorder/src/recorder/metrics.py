"""The recorder's metrics."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# Each has a sample from the start: a rule sees no increase of one that begins with its first event.
_OUTCOMES: Final = ("state", "removed", "ahead", "invalid", "unknown-topic")
_LOSSES: Final = ("buffer-full", "stopped", "refused", "over-limit")


class RecorderMetrics:
    """Counters and gauges, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = self._counter(
            "received", "MQTT messages, by what became of them.", "outcome"
        )
        for outcome in _OUTCOMES:
            self.received.labels(outcome)
        self.recorded = self._counter("recorded", "States written that were not there before.")
        self.known = self._counter("known", "States that were there already, and changed nothing.")
        self.lost = self._counter("lost", "States not recorded, by reason.", "reason")
        for reason in _LOSSES:
            self.lost.labels(reason)
        self.removed = self._counter("removed", "States deleted by retention.")
        self.commit_s = Histogram(
            "pillowcast_recorder_commit_seconds",
            "Duration of a transaction with a batch of states.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=self.registry,
        )
        self.database_up = self._gauge("database_up", "0 during an outage of the database, else 1.")
        self.size_bytes = self._gauge("size_bytes", "What the database has, about.")
        self.limit_bytes = self._gauge("size_limit_bytes", "RECORDER_KEEP_BYTES.")

    def observe(
        self, waiting: Callable[[], int], waiting_bytes: Callable[[], int], limit_bytes: int
    ) -> None:
        """Register what is read at each scrape."""
        self._gauge("waiting", "States that are not written yet.").set_function(waiting)
        gauge = self._gauge("waiting_bytes", "What the states cost that are not written yet.")
        gauge.set_function(waiting_bytes)
        self._gauge("waiting_limit_bytes", "RECORDER_BUFFER_BYTES.").set(limit_bytes)

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"pillowcast_recorder_{name}", help_text, labels, registry=self.registry)

    def _gauge(self, name: str, help_text: str) -> Gauge:
        return Gauge(f"pillowcast_recorder_{name}", help_text, registry=self.registry)
