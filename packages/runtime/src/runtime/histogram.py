"""A Prometheus histogram of one thread: an observation costs a search and two additions.

That of the library locks at each observation, and looks at its buckets one after the other.
"""

import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING, cast

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.utils import floatToGoString

if TYPE_CHECKING:
    from prometheus_client.registry import Collector


class Histogram:
    """A histogram of values that are not negative; it is observed and scraped in one thread."""

    def __init__(
        self, name: str, text: str, bounds: Sequence[float], registry: CollectorRegistry
    ) -> None:
        """`bounds` are the upper bounds of the buckets, ascending; one without a bound follows."""
        assert list(bounds) == sorted(set(bounds)), f"{name}: the bounds do not ascend"
        self._name, self._text = name, text
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        registry.register(cast("Collector", self))

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    @contextmanager
    def time(self) -> Iterator[None]:
        """Count how long the block takes, in seconds."""
        start_s = time.monotonic()
        try:
            yield
        finally:
            self.observe(time.monotonic() - start_s)

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """Yield its name, by which the registry knows it."""
        yield HistogramMetricFamily(self._name, self._text)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the histogram as it is now."""
        names = [*map(floatToGoString, self._bounds), "+Inf"]
        buckets = list(zip(names, accumulate(self._counts), strict=True))
        yield HistogramMetricFamily(self._name, self._text, buckets=buckets, sum_value=self._sum)
