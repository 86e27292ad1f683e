"""Conditional writes: a state is published only if it is newer than its pillow's last write."""

import asyncio
from collections.abc import Callable

from contract.messages import ParsedMessage
from contract.updates import Update, encode_state
from poller.metrics import PollerMetrics
from poller.publish.key_queue import PendingState
from poller.publish.last_writes import LastWrites
from poller.publish.state_publisher import StatePublisher


class NewerStateWriter:
    """Writes states to the broker, and records what it confirmed as last writes."""

    def __init__(
        self,
        broker: StatePublisher,
        last_writes: LastWrites,
        metrics: PollerMetrics,
        clock_ms: Callable[[], int],
    ) -> None:
        self._broker = broker
        self._last_writes = last_writes
        self._metrics = metrics
        self._clock_ms = clock_ms

    @property
    def is_ready(self) -> bool:
        """Whether the broker can be published to."""
        return self._broker.is_ready

    async def wait_ready(self) -> None:
        """Wait until the broker can be published to."""
        await self._broker.wait_ready()

    def prepare(self, pending: PendingState) -> Update | None:
        """Return the update to publish, with its trace timestamps; None if it is superseded."""
        state, published_ms = pending.state, self._clock_ms()
        queued_ms = pending.message.delivery.body.queued_us // 1000
        payload = encode_state(
            state,
            queued_ms=queued_ms,
            polled_ms=pending.message.polled_ms,
            published_ms=published_ms,
        )
        update = Update(state.pillow, state.state, state.order, payload, queued_ms, published_ms)
        return None if self._last_writes.supersedes(update) else update

    def write(self, update: Update, traceparent: str | None) -> asyncio.Future[None]:
        """Publish an update; errors are those of StatePublisher.publish_state."""
        return self._broker.publish_state(update, traceparent)

    def record_confirmed(self, pending: PendingState, update: Update) -> bool:
        """Record that the broker confirmed an update.

        Returns whether it is older than the last write, which has to be published again then.
        """
        queued_s = pending.message.delivery.body.queued_us / 1e6
        self._metrics.latency.observe(max(0.0, self._clock_ms() / 1e3 - queued_s))
        return self._last_writes.record(update) is not None

    def is_confirmed(self, state: ParsedMessage) -> bool:
        """Return whether the broker has had this state of its pillow, or a newer one."""
        newest = self._last_writes.get(state.pillow)
        return newest is not None and newest.order >= state.order
