"""Conditional writes: a state is published only if it is newer than its pillow's last write."""

import asyncio

from contract.messages import ParsedMessage
from contract.updates import Update, encode_state
from poller.metrics import PollerMetrics
from poller.publish.journaled_writes import JournaledWrites
from poller.publish.key_queue import PendingState
from poller.publish.signs_of_life import SignsOfLife
from poller.publish.state_publisher import StatePublisher
from poller.queue_time import QueueTime


class NewerStateWriter:
    """Writes states to the broker, and records what it confirmed as last writes."""

    def __init__(
        self,
        broker: StatePublisher,
        last_writes: JournaledWrites,
        signs_of_life: SignsOfLife,
        metrics: PollerMetrics,
        queue_time: QueueTime,
    ) -> None:
        self._broker = broker
        self._last_writes = last_writes
        self._signs_of_life = signs_of_life
        self._metrics = metrics
        self._queue_time = queue_time

    @property
    def is_ready(self) -> bool:
        """Whether the broker can be published to."""
        return self._broker.is_ready

    async def wait_ready(self) -> None:
        """Wait until the broker can be published to."""
        await self._broker.wait_ready()

    def prepare(self, pending: PendingState) -> Update | None:
        """Return the update to publish, with its trace timestamps; None if it is superseded."""
        state = pending.state
        self._forget_too_far_ahead(state.pillow)
        queued_ms = pending.message.delivery.body.queued_us // 1000
        # A message is received after its insertion, though its second is rounded, and an estimate.
        polled_ms = max(pending.message.polled_ms, queued_ms)
        published_ms = max(self._queue_time.now_ms(), polled_ms)
        payload = encode_state(
            state, queued_ms=queued_ms, polled_ms=polled_ms, published_ms=published_ms
        )
        update = Update(state.pillow, state.state, state.order, payload, queued_ms, published_ms)
        return None if self._last_writes.supersedes(update) else update

    def _forget_too_far_ahead(self, pillow: str) -> None:
        """Forget a last write that no message may have: it would supersede all until its time.

        The broker listener ignores such states, but the retained ones may arrive before the queue's
        time is known.
        """
        newest = self._last_writes.get(pillow)
        if newest is not None and self._queue_time.is_too_far_ahead(newest):
            self._metrics.future_states.inc()
            self._last_writes.remove(pillow)

    def write(self, update: Update, traceparent: str | None) -> asyncio.Future[None]:
        """Publish an update; errors are those of StatePublisher.publish_state."""
        return self._broker.publish_state(update, traceparent)

    def record_superseded(self, pending: PendingState) -> None:
        """Record that a message ends as superseded; it may be a sign of life of its pillow."""
        self._signs_of_life.report(pending.message, pending.state)

    def record_confirmed(self, pending: PendingState, update: Update) -> bool:
        """Record that the broker confirmed an update.

        Returns whether it is older than the last write, which has to be published again then.
        """
        message, metrics = pending.message, self._metrics
        now_s = asyncio.get_running_loop().time()
        metrics.polled_to_published_s.observe(now_s - message.received_s)
        if self._queue_time.is_known:
            waited_ms = self._queue_time.now_ms() - message.delivery.body.queued_us // 1000
            metrics.queued_to_published_s.observe(max(0, waited_ms) / 1000)
        return self._last_writes.record(update) is not None

    def journaled(self, pillow: str) -> asyncio.Future[None] | None:
        """Write the last write of a pillow to the journal; see JournaledWrites."""
        return self._last_writes.journaled(pillow)

    def is_confirmed(self, state: ParsedMessage) -> bool:
        """Return whether the broker has had this state of its pillow, or a newer one."""
        newest = self._last_writes.get(state.pillow)
        return newest is not None and newest.order >= state.order
