"""The publisher: the states of one pillow in their order, the pillows side by side.

A state is sent when it arrives, and the broker's confirmation completes its message, so that no
task is started for it. Only states that have to be sent again, or wait for the broker, have one.
"""

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import Final

from contract.messages import ParsedMessage, Reason, Rejection
from contract.updates import Update
from poller.background_tasks import BackgroundTasks
from poller.in_flight import InFlightMessage, Outcome
from poller.publish.broker_health import BrokerHealth
from poller.publish.key_queue import MAX_SENDS, KeyQueue, PendingState
from poller.publish.newer_state_writer import NewerStateWriter
from poller.publish.retained_state_reconciler import REFUSED_DELAY_S, RetainedStateReconciler
from poller.settle.settlement import Settlement
from runtime.mqtt import BrokerLost, PublishRefused, PublishTooLarge

LOST_DELAY_S: Final = 0.1
"""The delay before a publish is repeated that ended with a lost connection, in seconds: the session
may report ready for a moment after the loss."""


class OrderedPublisher:
    """Publishes the states of messages, and completes the messages when they are confirmed.

    With `newest_only`, of the waiting states of a pillow only the newest is published.
    """

    def __init__(
        self,
        writer: NewerStateWriter,
        reconciler: RetainedStateReconciler,
        settlement: Settlement,
        tasks: BackgroundTasks,
        *,
        newest_only: bool,
    ) -> None:
        self._writer = writer
        self._reconciler = reconciler
        self._settlement = settlement
        self._tasks = tasks
        self._newest_only = newest_only
        self._health = BrokerHealth()
        self._queues: dict[str, KeyQueue] = {}
        self._alone = asyncio.Lock()
        """Held by the one queue that sends a state alone."""
        self._is_closed = False

    @property
    def state(self) -> str:
        """`ok`, or a pillow whose states the broker refuses and its reason, for readiness."""
        return self._health.state

    def refusal_of(self, pillow: str) -> str | None:
        """Return why the broker refuses the states of a pillow; None if it does not."""
        return self._health.reason(pillow)

    def publish(self, batch: Iterable[tuple[InFlightMessage, ParsedMessage]]) -> None:
        """Publish states that arrived together, each pillow's oldest first.

        After `close` nothing is published, and their messages stay in flight.
        """
        if self._is_closed:
            return
        changed: dict[str, KeyQueue] = {}
        for message, state in batch:
            queue = self._queues.get(state.pillow)
            if queue is None:
                queue = self._queues[state.pillow] = KeyQueue(state.pillow)
            queue.waiting.append(PendingState(message, state))
            changed[state.pillow] = queue
        for queue in changed.values():
            if not (queue.in_flight or queue.is_scheduled):
                self._send_waiting(queue)

    def supersede(self, message: InFlightMessage, state: ParsedMessage) -> bool:
        """Complete a message whose state, or a newer one, was confirmed; returns whether it was."""
        pending = PendingState(message, state)
        if self._writer.prepare(pending) is not None:
            return False
        self._complete(pending, Outcome.SUPERSEDED)
        return True

    def close(self) -> None:
        """Ignore confirmations from now on: the messages in flight are abandoned."""
        self._is_closed = True

    # Sending

    def _send_waiting(self, queue: KeyQueue) -> None:
        """Send the waiting states now, or schedule a task that sends them later."""
        while queue.waiting and not queue.in_flight:
            is_ready = self._writer.is_ready
            batch = queue.next_batch(newest_only=self._newest_only) if is_ready else []
            if not batch:
                self._schedule(queue, 0.0)
                return
            # One connection keeps the order of the publishes.
            for pending in batch:
                self._send(queue, pending)
            if queue.retry and not queue.in_flight:
                self._on_drained(queue)
                return
        if not (queue.waiting or queue.in_flight):
            self._queues.pop(queue.pillow, None)
            self._health.forget(queue.pillow)

    def _schedule(self, queue: KeyQueue, delay_s: float) -> None:
        queue.is_scheduled = True
        self._tasks.start(self._send_later(queue, delay_s))

    async def _send_later(self, queue: KeyQueue, delay_s: float) -> None:
        """Send the waiting states when the broker is ready; one at its last send alone."""
        await asyncio.sleep(delay_s)
        await self._writer.wait_ready()
        if queue.must_send_alone:
            async with self._alone:
                await self._writer.wait_ready()
                queue.drained = asyncio.Event()
                self._send(queue, queue.waiting.pop(0))
                if queue.in_flight:
                    await queue.drained.wait()
                queue.drained = None
        queue.is_scheduled = False
        if queue.retry:
            self._on_drained(queue)
        else:
            self._send_waiting(queue)

    def _send(self, queue: KeyQueue, pending: PendingState) -> None:
        if pending.message.lease_lost:
            self._settlement.drop(pending.message)
            return
        update = self._writer.prepare(pending)
        if update is None:
            self._complete(pending, Outcome.SUPERSEDED)
            return
        try:
            confirmed = self._writer.write(update, pending.state.traceparent)
        except BrokerLost:
            queue.retry.append(pending)
        except PublishRefused as error:
            self._on_refused(queue, pending, error)
        else:
            queue.in_flight += 1
            confirmed.add_done_callback(partial(self._on_done, queue, pending, update))

    # Results

    def _on_done(
        self, queue: KeyQueue, pending: PendingState, update: Update, done: asyncio.Future[None]
    ) -> None:
        """Handle the end of a publish; an unexpected error ends the worker.

        asyncio would only log it, because this is a callback.
        """
        if self._is_closed or done.cancelled():
            return
        try:
            self._handle_result(queue, pending, update, done)
        except Exception as error:
            self._tasks.fail(error)

    def _handle_result(
        self, queue: KeyQueue, pending: PendingState, update: Update, done: asyncio.Future[None]
    ) -> None:
        queue.in_flight -= 1
        error = done.exception()
        if error is None:
            self._on_confirmed(queue, pending, update)
        elif isinstance(error, BrokerLost):
            self._on_lost(queue, pending)
        elif isinstance(error, PublishRefused):
            self._on_refused(queue, pending, error)
        else:
            raise error
        if not queue.in_flight:
            self._on_drained(queue)

    def _on_confirmed(self, queue: KeyQueue, pending: PendingState, update: Update) -> None:
        self._health.record_success(queue.pillow)
        # Only the last confirmation counts, because later states replaced the earlier ones.
        queue.is_stale = self._writer.record_confirmed(pending, update)
        self._complete(pending, Outcome.PUBLISHED)

    def _on_lost(self, queue: KeyQueue, pending: PendingState) -> None:
        pending.message.lost_sends += 1
        if pending.message.lost_sends < MAX_SENDS:
            queue.retry.append(pending)
        else:
            self._settlement.abandon(pending.message)

    def _on_refused(self, queue: KeyQueue, pending: PendingState, error: PublishRefused) -> None:
        if isinstance(error, PublishTooLarge):
            # Not retried: it would be refused again, and every message has to end.
            rejection = Rejection(Reason.TOO_LARGE, str(error))
            self._settlement.dead_letter(pending.message, rejection)
            return
        self._health.record_refusal(queue.pillow, str(error))
        if self._settlement.keep_blocked(pending.message):
            queue.retry.append(pending)

    def _on_drained(self, queue: KeyQueue) -> None:
        """Continue with a queue none of whose states is in flight."""
        if queue.is_stale:
            self._reconciler.republish(queue.pillow)
            queue.is_stale = False
        if queue.drained is not None:
            queue.drained.set()
        elif queue.retry:
            queue.retry_later()
            is_refused = self._health.is_refused(queue.pillow)
            self._schedule(queue, REFUSED_DELAY_S if is_refused else LOST_DELAY_S)
        else:
            self._send_waiting(queue)

    def _complete(self, pending: PendingState, outcome: Outcome) -> None:
        assert self._writer.is_confirmed(pending.state), f"{pending.message.id} is not confirmed"
        if outcome is Outcome.SUPERSEDED:
            self._writer.record_superseded(pending)
        journaled = self._writer.journaled(pending.state.pillow)
        self._settlement.complete(pending.message, outcome, journaled)
