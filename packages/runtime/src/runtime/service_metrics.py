"""What the metrics of the services have in common: a prefix, and a registry of their own."""

from collections.abc import Iterable
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge


class ServiceMetrics:
    """The base of the metrics of a service, whose names begin with `pillowcast_` and its name."""

    def __init__(self, service: str, registry: CollectorRegistry | None = None) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        self._prefix = f"pillowcast_{service}_"

    def counter(self, name: str, help_text: str, **labels: Iterable[str]) -> Counter:
        """Return a counter; `labels` are the known values of each label, which begin with 0.

        A rule sees no increase of a counter that begins with its first event.
        """
        counter = Counter(self._prefix + name, help_text, tuple(labels), registry=self.registry)
        for values in product(*labels.values()) if labels else ():
            counter.labels(*values)
        return counter

    def gauge(self, name: str, help_text: str, *labels: str) -> Gauge:
        """Return a gauge."""
        return Gauge(self._prefix + name, help_text, labels, registry=self.registry)
