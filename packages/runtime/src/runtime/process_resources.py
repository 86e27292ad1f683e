"""What a process uses, by the names that Prometheus' libraries give it.

The library's own collector lists every open file at each scrape, on the event loop: 66 ms where a
gateway has 10,000 sockets. Linux tells their number since 6.2.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

_CONSTANT: Final = ("process_start_time_seconds", "process_max_fds")
_FILES: Final = Path("/proc/self/fd")
_MEMORY: Final = Path("/proc/self/statm")


class ProcessResources:
    """Its metrics; there are none where the system has no /proc."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """The limit of open files must not change later."""
        found = ProcessCollector(registry=None).collect()
        self._constant = [family for family in found if family.name in _CONSTANT]
        registry.register(cast("Collector", self))

    def collect(self) -> Iterator[Metric]:
        """Yield them as they are now."""
        if not self._constant:
            return
        yield from self._constant
        times = os.times()
        yield CounterMetricFamily(
            "process_cpu_seconds",
            "Total user and system CPU time spent in seconds.",
            value=times.user + times.system,
        )
        pages = int(_MEMORY.read_text().split()[1])
        yield GaugeMetricFamily(
            "process_resident_memory_bytes",
            "Resident memory size in bytes.",
            value=pages * os.sysconf("SC_PAGE_SIZE"),
        )
        yield GaugeMetricFamily(
            "process_open_fds", "Number of open file descriptors.", value=open_files()
        )


def open_files() -> int:
    """Return how many files the process has open."""
    return _FILES.stat().st_size or len(os.listdir(_FILES))  # noqa: PTH208 - names are enough
