"""Reconciliation (read repair): the last write is published again when the broker lacks it."""

import asyncio
from typing import Final

import structlog

from contract.updates import with_publish_time
from poller.background_tasks import BackgroundTasks
from poller.metrics import PollerMetrics
from poller.publish.journaled_writes import JournaledWrites
from poller.publish.state_publisher import StatePublisher
from poller.queue_time import QueueTime
from runtime.log_repeats import LogRepeats
from runtime.mqtt import BrokerLost, PublishRefused, PublishTooLarge

log = structlog.get_logger()

MAX_REPUBLISHES: Final = 256
"""Limit of concurrent publishes, because a broker may have lost every state."""

QUEUE_TIME_TIMEOUT_S: Final = 5.0
"""How long a publish waits at a start for the queue to tell its time, in seconds."""

REFUSED_DELAY_S: Final = 5.0
"""The delay before a publish that the broker refused is repeated, in seconds."""

AHEAD_DELAY_S: Final = 30.0
"""How often a state of the journal is tried whose time has not come, in seconds."""


class RetainedStateReconciler:
    """Publishes last writes again, one publish at a time for each pillow.

    Each repeated publish has a new `published` time, so that readers see how old the state is.
    """

    def __init__(
        self,
        broker: StatePublisher,
        last_writes: JournaledWrites,
        tasks: BackgroundTasks,
        metrics: PollerMetrics,
        queue_time: QueueTime,
    ) -> None:
        self._broker = broker
        self._last_writes = last_writes
        self._tasks = tasks
        self._metrics = metrics
        self._queue_time = queue_time
        self._is_stale: dict[str, bool] = {}
        """The pillows with a publish under way, and whether another has to follow it."""

        self._waiting: dict[str, None] = {}
        """The pillows whose publish waits for another to end."""

        self._later: dict[str, asyncio.TimerHandle] = {}
        """The pillows whose publish is repeated after a delay."""

        self._repeats = LogRepeats()

    def republish(self, pillow: str) -> None:
        """Publish the last write of a pillow again, until the broker confirms it."""
        if pillow in self._is_stale:
            self._is_stale[pillow] = True
        elif len(self._is_stale) < MAX_REPUBLISHES:
            self._start(pillow)
        else:
            self._waiting[pillow] = None

    def _start(self, pillow: str) -> None:
        self._is_stale[pillow] = True
        self._tasks.start(self._publish_last_write(pillow))

    async def _publish_last_write(self, pillow: str) -> None:
        try:
            # At a start this machine's clock may be wrong, and would make an old state look new.
            await self._queue_time.wait_known(QUEUE_TIME_TIMEOUT_S)
            while self._is_stale[pillow]:
                newest = self._last_writes.get(pillow)
                if newest is None:
                    return  # the pillow was removed meanwhile
                if self._queue_time.is_too_far_ahead(newest):
                    self._on_too_far_ahead(pillow)
                    return
                if self._queue_time.has_expired(newest):
                    self._last_writes.give_up(pillow)
                    return
                self._is_stale[pillow] = False
                update = with_publish_time(newest, self._queue_time.now_ms())
                try:
                    await self._broker.publish_state(update, None)
                except PublishTooLarge as error:
                    self._on_too_large(pillow, error)
                    return
                except PublishRefused:
                    # Repeated until it is accepted, because an operator may correct the ACL; other
                    # pillows are published meanwhile.
                    self._republish_later(pillow, REFUSED_DELAY_S)
                    return
                self._metrics.republished.inc()
                if self._last_writes.record(update) is not None:
                    self._is_stale[pillow] = True
                self._last_writes.journaled(pillow)
        except BrokerLost:
            # Every last write is compared again when the connection is back.
            self._waiting.clear()
        finally:
            del self._is_stale[pillow]
            if self._waiting:
                following = next(iter(self._waiting))
                del self._waiting[following]
                self._start(following)

    def _on_too_large(self, pillow: str, error: PublishTooLarge) -> None:
        """Publish a state no more on this connection: its broker would refuse it again.

        It is kept, and compared with what the next connection's broker has.
        """
        self._metrics.too_large.inc()
        self._last_writes.give_up(pillow)
        if (repeats := self._repeats.due("too large", pillow)) is not None:
            log.error(
                "a newest state is larger than the broker accepts, which lacks it; it is kept, and "
                "published again at the next connection",
                pillow=pillow,
                error=str(error),
                **repeats,
            )

    def _on_too_far_ahead(self, pillow: str) -> None:
        """Forget a state from the future, unless the journal has it.

        That one was accepted, so that the queue's clock was set back since, or began anew with its
        machine. Nothing else has the state: it is published when its time has come.
        """
        if not self._last_writes.is_journaled(pillow):
            self._metrics.future_states.inc()
            self._last_writes.remove(pillow)
            return
        if (repeats := self._repeats.due("ahead")) is not None:
            log.warning(
                "the journal has states from the future, so that the queue's clock is behind; they "
                "are published when their time has come",
                pillow=pillow,
                **repeats,
            )
        self._republish_later(pillow, AHEAD_DELAY_S)

    def _republish_later(self, pillow: str, delay_s: float) -> None:
        """Publish a last write again after a delay; a pillow has one timer."""
        known = self._later.pop(pillow, None)
        if known is not None:
            known.cancel()
        loop = asyncio.get_running_loop()
        self._later[pillow] = loop.call_later(delay_s, self._republish_now, pillow)

    def _republish_now(self, pillow: str) -> None:
        del self._later[pillow]
        self.republish(pillow)
