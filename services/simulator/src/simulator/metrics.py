"""The simulator's metrics, for Prometheus; they are read from the run's own figures at a scrape."""

from collections.abc import Mapping
from typing import get_args

from prometheus_client import CollectorRegistry, Gauge

from runtime.observed_counter import ObservedCounters
from simulator.scenario.schema_types import FaultKind, Reason
from simulator.sender import SendStats


def simulator_metrics(
    pillows: int, stats: SendStats, fault_counts: Mapping[str, int]
) -> CollectorRegistry:
    """Return the metrics of a run, in a registry of their own."""
    registry = CollectorRegistry()
    Gauge("pillowcast_simulator_pillows", "Simulated pillows of this run.", registry=registry).set(
        pillows
    )
    Gauge(
        "pillowcast_simulator_max_late_seconds",
        "The largest delay of a message of this run, from when it was due.",
        registry=registry,
    ).set_function(lambda: stats.max_late_s)
    ObservedCounters(
        "pillowcast_simulator_messages",
        "Messages that were due, by what became of them.",
        "outcome",
        lambda: {
            "sent": stats.sent,
            "skipped": stats.skipped,
            "failed": stats.failed,
            "replaced": stats.replaced,
        },
        registry,
    )
    ObservedCounters(
        "pillowcast_simulator_faults",
        "Injected faults, by kind.",
        "kind",
        lambda: dict.fromkeys(get_args(FaultKind), 0) | dict(fault_counts),
        registry,
    )
    ObservedCounters(
        "pillowcast_simulator_expected_dead_letters",
        "Sent messages that a poller will dead-letter, by reason.",
        "reason",
        lambda: dict.fromkeys(get_args(Reason), 0) | dict(stats.rejections),
        registry,
    )
    return registry
