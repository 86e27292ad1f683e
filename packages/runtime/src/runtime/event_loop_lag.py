"""Event-loop lag: how much later than due a timer runs, because something else holds the loop."""

import asyncio
import time
from types import TracebackType
from typing import Final, Self

from prometheus_client import CollectorRegistry

from runtime.histogram import Histogram

PROBE_S: Final = 0.25
"""The time between two probes: one that holds the loop for longer is always seen, a shorter one in
the proportion of its length to this."""

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class EventLoopLag:
    """Measures the running event loop while the block that it is entered for runs."""

    def __init__(self, name: str, registry: CollectorRegistry) -> None:
        self._histogram = Histogram(
            name,
            "How late a timer of the event loop ran; measured four times a second.",
            BOUNDS,
            registry,
        )

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def _start(self) -> None:
        self._due_s = time.monotonic() + PROBE_S
        self._timer = self._loop.call_later(PROBE_S, self._probe)

    def _probe(self) -> None:
        # A timer of uvloop may run up to a millisecond early.
        self._histogram.observe(max(0.0, time.monotonic() - self._due_s))
        self._start()
