"""Signs of life: a pillow that sends states older than its newest one is awake.

Its clock is behind, since a restart perhaps, or its messages arrive out of order.
The newest state stays, and is published again with the hops of the later message.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from contract.messages import ParsedMessage
from contract.timestamps import MAX_CLOCK_SKEW_MS, format_timestamp
from contract.updates import Update, with_sign_of_life
from poller.in_flight import InFlightMessage
from poller.metrics import PollerMetrics
from poller.publish.journaled_writes import JournaledWrites
from poller.publish.state_publisher import StatePublisher
from poller.queue_time import QueueTime
from runtime.log_repeats import LogRepeats
from runtime.mqtt import BrokerLost, PublishRefused
from runtime.pillow_notes import PillowNotes

log = structlog.get_logger()

MIN_INTERVAL_S: Final = 5.0
"""The shortest time between two signs of life of a pillow; readers expire one after far more."""

MAX_PILLOWS: Final = 10_000
"""For how many pillows the last sign of life is remembered; the one that is forgotten may give a
sign of life early."""


class SignsOfLife:
    """Publishes the newest state of a pillow again when it sends older ones.

    `on_stale` is called with a pillow whose newer state was overwritten meanwhile.
    """

    def __init__(
        self,
        broker: StatePublisher,
        last_writes: JournaledWrites,
        metrics: PollerMetrics,
        queue_time: QueueTime,
        on_stale: Callable[[str], None],
    ) -> None:
        self._broker = broker
        self._last_writes = last_writes
        self._metrics = metrics
        self._queue_time = queue_time
        self._on_stale = on_stale
        self._published_s: OrderedDict[str, float] = OrderedDict()
        self._repeats = LogRepeats()
        self.notes = PillowNotes()
        """Of the last superseded message of each pillow that was not queued before its newest."""

    def report(self, message: InFlightMessage, state: ParsedMessage) -> None:
        """Publish a sign of life if a superseded message was queued after the newest state."""
        newest = self._last_writes.get(state.pillow)
        if newest is None:
            return
        queued_us = message.delivery.body.queued_us
        newest_us = newest.order[0] if newest.queued_ms is None else newest.queued_ms * 1000
        if queued_us // 1000 < newest_us // 1000:
            return  # it came late, after a poller was killed, for example
        self.notes.add(state.pillow, "superseded", format_timestamp(state.order[0]))
        if queued_us // 1000 == newest_us // 1000 or not self._is_due(state, queued_us):
            return
        update = with_sign_of_life(
            newest,
            queued_ms=queued_us // 1000,
            polled_ms=max(message.polled_ms, queued_us // 1000),
            published_ms=max(self._queue_time.now_ms(), message.polled_ms, queued_us // 1000),
            clock_is_behind=queued_us - state.order[0] > MAX_CLOCK_SKEW_MS * 1000,
        )
        try:
            confirmed = self._broker.publish_state(update, None)
        except (BrokerLost, PublishRefused):
            return  # the pillow's next message is a sign of life too
        confirmed.add_done_callback(partial(self._on_done, update))

    def _is_due(self, state: ParsedMessage, queued_us: int) -> bool:
        """Return whether a pillow may give a sign of life now; the first one is logged."""
        now_s = asyncio.get_running_loop().time()
        last_s = self._published_s.get(state.pillow)
        if (repeats := self._repeats.due("behind", state.pillow)) is not None:
            log.warning(
                "a pillow sends states older than its newest one, which stays; it is awake",
                pillow=state.pillow,
                behind_s=(queued_us - state.order[0]) // 1_000_000,
                **repeats,
            )
        if last_s is not None and now_s - last_s < MIN_INTERVAL_S:
            return False
        self._published_s[state.pillow] = now_s
        self._published_s.move_to_end(state.pillow)
        if len(self._published_s) > MAX_PILLOWS:
            self._published_s.popitem(last=False)
        return True

    def _on_done(self, update: Update, done: asyncio.Future[None]) -> None:
        if done.cancelled() or done.exception() is not None:
            return
        self._metrics.signs_of_life.inc()
        if self._last_writes.record(update) is not None:
            self._on_stale(update.pillow)
