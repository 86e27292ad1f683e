"""A Prometheus counter whose value is read at each scrape; the library has that for gauges only."""

from collections.abc import Callable, Iterator
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
