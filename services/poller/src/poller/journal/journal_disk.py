"""The disk of the journal: how much room is left on it, as metrics."""

import math
import os
import time
from pathlib import Path
from typing import Final

from poller.metrics import PollerMetrics

INTERVAL_S: Final = 30.0
"""The least time between two measurements, in seconds."""


class JournalDisk:
    """Measures the disk now and then."""

    def __init__(self, metrics: PollerMetrics) -> None:
        self._metrics = metrics
        self._measured_s = -math.inf

    @property
    def is_due(self) -> bool:
        """Whether it has to be measured again."""
        return time.monotonic() - self._measured_s >= INTERVAL_S

    def measure(self, folder: Path) -> None:
        """Measure the disk of a folder; this blocks where the disk does not answer."""
        self._measured_s = time.monotonic()
        free, size = _free_and_size(folder)
        self._metrics.journal_free.set(free)
        self._metrics.journal_size.set(size)


def _free_and_size(folder: Path) -> tuple[float, float]:
    """Return the bytes that this process may still write, and those of the whole disk."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return math.nan, math.nan
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
