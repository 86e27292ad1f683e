"""Send times: how long states take from the queue, and from the poller, to the clients."""

from typing import Final

from prometheus_client import CollectorRegistry

from runtime.histogram import Histogram

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class SendTimes:
    """Two histograms. A state is added when it arrives, and observed after the flush that sent it.

    Every state that is added is followed by a flush, within milliseconds.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._queued_s = Histogram(
            "pillowcast_gateway_queued_to_sent_seconds",
            "Time from a state's insertion into the queue until it is written to clients, by the "
            "queue's clock, which counts whole seconds.",
            _SECONDS,
            registry,
        )
        self._published_s = Histogram(
            "pillowcast_gateway_published_to_sent_seconds",
            "Time from a state's publication by a poller until it is written to clients, in the "
            "queue's time: how much more than the fastest one of the last minutes took.",
            _SECONDS,
            registry,
        )
        self._added: list[tuple[int | None, int | None]] = []

    @property
    def has_added(self) -> bool:
        """Whether a flush has to be observed."""
        return bool(self._added)

    def add(self, queued_ms: int | None, published_ms: int | None) -> None:
        """Add a state that arrived, with its hops in Unix milliseconds."""
        self._added.append((queued_ms, published_ms))

    def observe(self, queue_ms: int | None) -> None:
        """Observe that the states are sent now, in the queue's time; None if it is not known."""
        added, self._added = self._added, []
        if queue_ms is None:
            return
        for queued_ms, published_ms in added:
            if queued_ms is not None:
                self._queued_s.observe(max(0, queue_ms - queued_ms) / 1000)
            if published_ms is not None:
                self._published_s.observe(max(0, queue_ms - published_ms) / 1000)
