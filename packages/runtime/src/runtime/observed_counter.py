"""Prometheus counters that are read at each scrape; the library has that for gauges only."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, cast

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily

if TYPE_CHECKING:
    from prometheus_client.registry import Collector


class ObservedCounter:
    """A counter with the value of `read`, which never falls."""

    def __init__(
        self, name: str, text: str, read: Callable[[], float], registry: CollectorRegistry
    ) -> None:
        self._name, self._text, self._read = name, text, read
        registry.register(cast("Collector", self))

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the counter as it is now."""
        yield CounterMetricFamily(self._name, self._text, value=self._read())


class ObservedCounters:
    """A counter with one label, with the values of `read` by the label's values."""

    def __init__(
        self,
        name: str,
        text: str,
        label: str,
        read: Callable[[], Mapping[str, float]],
        registry: CollectorRegistry,
    ) -> None:
        self._name, self._text, self._label, self._read = name, text, label, read
        registry.register(cast("Collector", self))

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the counter as it is now."""
        family = CounterMetricFamily(self._name, self._text, labels=[self._label])
        for value, count in self._read().items():
            family.add_metric([value], count)
        yield family
