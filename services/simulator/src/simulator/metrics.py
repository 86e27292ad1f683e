"""The simulator's metrics, for Prometheus; they are read from the run's own figures at a scrape."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, cast, get_args

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import CounterMetricFamily

from simulator.scenario.schema_types import FaultKind, Reason
from simulator.sender import SendStats

if TYPE_CHECKING:
    from prometheus_client.registry import Collector


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
    _Counters(
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
    _Counters(
        "pillowcast_simulator_faults",
        "Injected faults, by kind.",
        "kind",
        lambda: dict.fromkeys(get_args(FaultKind), 0) | dict(fault_counts),
        registry,
    )
    _Counters(
        "pillowcast_simulator_expected_dead_letters",
        "Sent messages that a poller will dead-letter, by reason.",
        "reason",
        lambda: dict.fromkeys(get_args(Reason), 0) | dict(stats.rejections),
        registry,
    )
    return registry


class _Counters:
    """A counter with one label, whose values are read at each scrape."""

    def __init__(
        self,
        name: str,
        text: str,
        label: str,
        read: Callable[[], Mapping[str, int]],
        registry: CollectorRegistry,
    ) -> None:
        self._name, self._text, self._label, self._read = name, text, label, read
        registry.register(cast("Collector", self))

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(self._name, self._text, labels=[self._label])
        for value, number in self._read().items():
            family.add_metric([value], number)
        yield family
