"""The outbox while the notifier runs: what waits is in memory, and written off the event loop.

An event is sent when it is on disk, so that it is not lost if the process is killed. While the disk
fails nothing waits for it: what was to be written is kept in memory, within the same limits, and is
written later.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import structlog

from notifier.detect.detector import Decision
from notifier.detect.marks import Silence
from notifier.metrics import NotifierMetrics
from notifier.outbox.delivery import Batch, Delivery, Row, delivery_of
from notifier.outbox.lanes import Lanes
from notifier.outbox.outbox_file import Loaded, OutboxFile, OutboxUnavailable
from notifier.outbox.outbox_health import OutboxHealth
from runtime.clocks import monotonic_s, unix_ms
from runtime.log_repeats import LogRepeats

log = structlog.get_logger()

_Result = TypeVar("_Result")

GROUP_S: Final = 0.01
"""The least time between two commits, in seconds."""

TIMEOUT_S: Final = 5.0
"""How long the disk may take until the outbox counts as failing, in seconds."""

RETRY_S: Final = 5.0
"""The delay before a failed write is tried again, in seconds."""

LOOK_S: Final = 1.0
"""How often is looked for dead letters that a command has put back, in seconds."""

GONE: Final = "the rules have no destination of this name any more"
FULL: Final = "more than NOTIFIER_MAX_WAITING events waited for this destination"


@dataclass(frozen=True, slots=True)
class OutboxLimits:
    """How many events may wait for one destination, and how many dead letters are kept."""

    waiting: int
    dead_letters: int


class Outbox:
    """Deliveries that wait, on disk and in memory, in order for each destination."""

    def __init__(
        self,
        file: OutboxFile,
        loaded: Loaded,
        destinations: Mapping[str, object],
        limits: OutboxLimits,
        metrics: NotifierMetrics,
    ) -> None:
        self._file = file
        self._limits = limits
        self._metrics = metrics
        self._health = OutboxHealth(metrics)
        self._lanes = Lanes(destinations, limits.waiting)
        self._known = frozenset(destinations)
        self._next_number = loaded.last_number + 1
        self._pending, self._writing = Batch(), Batch()
        self._has_pending = asyncio.Event()
        self._written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrived = {name: asyncio.Event() for name in destinations}
        self._thread = ThreadPoolExecutor(1, "outbox")
        self._repeats = LogRepeats()
        for name in destinations:
            metrics.waiting.labels(name).set_function(partial(self._lanes.count, name))
        for row in loaded.waiting:
            self._load(delivery_of(row, monotonic_s()))

    @property
    def state(self) -> str:
        """`ok`, or why the outbox is not written, for readiness."""
        return self._health.state

    def waiting(self, destination: str) -> int:
        """Return how many deliveries wait for a destination."""
        return self._lanes.count(destination)

    def add(self, decision: Decision) -> None:
        """Take over what was decided; all of it is written with one commit."""
        for change in decision.marks:
            self._pending.marks[change.mark] = change.is_set
        for event, destinations in decision.events:
            for destination in destinations:
                if (destination, event.id) in self._lanes:
                    continue  # told again, and not delivered yet
                delivery = Delivery(self._next_number, destination, event, monotonic_s())
                self._next_number += 1
                self._pending.rows[delivery.number] = delivery.row(delivery.since_s)
                self._enter(delivery)
        self._has_pending.set()

    def keep(self, silences: Sequence[Silence]) -> None:
        """Write the silences of pillows, instead of those that were written before."""
        self._pending.silences = silences
        self._has_pending.set()

    async def next(self, destination: str) -> Delivery:
        """Wait for the delivery that is next for a destination, and until it is on disk."""
        while True:
            delivery = self._lanes.first(destination)
            if delivery is None:
                self._arrived[destination].clear()
                await self._arrived[destination].wait()
            elif self._is_kept(delivery):
                return delivery
            else:
                await asyncio.shield(self._written)

    def record_attempt(self, delivery: Delivery) -> None:
        """Note that an attempt failed, and another one will follow."""
        if delivery.key in self._lanes:
            self._write(delivery.number, delivery.row(monotonic_s()))

    def complete(self, delivery: Delivery) -> None:
        """Remove a delivery that has arrived."""
        if self._lanes.remove(delivery):
            self._write(delivery.number, None)
            self._metrics.delivered.labels(delivery.destination).inc()
            self._metrics.delivery_s.observe(delivery.waited_s(monotonic_s()))

    def bury(self, delivery: Delivery, reason: str) -> None:
        """Make a dead letter of a delivery."""
        if self._lanes.remove(delivery):
            self._bury(delivery, reason)

    async def run(self, stopping: asyncio.Event) -> None:
        """Write until `stopping` is set and everything is written, or cannot be."""
        stopped = asyncio.ensure_future(stopping.wait())
        try:
            while True:
                works = await self._work_once()
                if stopping.is_set() and not (works and self._pending):
                    break
                await asyncio.wait((stopped,), timeout=GROUP_S if works else RETRY_S)
                if works:
                    await self._wait_pending(stopped)
        finally:
            stopped.cancel()
            if self._pending.rows:
                log.error(
                    "the process ends with events that could not be written; some are lost, or "
                    "will be sent once more",
                    events=len(self._pending.rows),
                    error=self._health.state,
                )
            self._thread.submit(self._close)
            self._thread.shutdown(wait=False)

    async def _wait_pending(self, stopped: "asyncio.Future[Any]") -> None:
        """Wait for something to write, and look meanwhile for what a command has put back."""
        pending = asyncio.ensure_future(self._has_pending.wait())
        try:
            await asyncio.wait(
                (stopped, pending), timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            pending.cancel()

    async def _work_once(self) -> bool:
        """Write what is pending, and read what was put back; returns whether the disk works."""
        batch = self._writing = self._pending
        self._pending = Batch()
        self._has_pending.clear()
        try:
            if batch or self._health.is_in_outage:
                commit = partial(self._file.commit, batch, self._limits.dead_letters)
                self._count_lost(await self._in_thread(commit))
            for row in await self._in_thread(self._file.retried):
                delivery = delivery_of(row, monotonic_s())
                if delivery.key not in self._lanes:
                    self._load(delivery)
        except OutboxUnavailable as error:
            self._pending = batch.followed_by(self._pending)
            self._health.record_failure(str(error))
            self._limit_pending()
            return False
        else:
            self._health.record_success()
            return True
        finally:
            self._writing = Batch()
            self._notify_written()

    async def _in_thread(self, work: Callable[[], _Result]) -> _Result:
        """Do work in the thread; the outbox counts as failing while the disk takes long."""
        result = asyncio.get_running_loop().run_in_executor(self._thread, work)
        done, _ = await asyncio.wait((result,), timeout=TIMEOUT_S)
        if not done:
            self._health.record_failure(f"the disk has not answered for {TIMEOUT_S:g} s")
            self._notify_written()
        return await result

    def _notify_written(self) -> None:
        """Wake what waits for the disk."""
        written, self._written = self._written, asyncio.get_running_loop().create_future()
        written.set_result(None)

    def _is_kept(self, delivery: Delivery) -> bool:
        """Return whether a delivery may be sent: it is on disk, or the disk fails."""
        number = delivery.number
        return not self._health.works or not (
            number in self._pending.rows or number in self._writing.rows
        )

    def _load(self, delivery: Delivery) -> None:
        """Take over a delivery from the disk."""
        if delivery.destination in self._known:
            self._enter(delivery)
        else:
            self._write_dead(delivery, GONE)

    def _enter(self, delivery: Delivery) -> None:
        displaced = self._lanes.add(delivery)
        if displaced is not None:
            self._bury(displaced, FULL)
        self._arrived[delivery.destination].set()

    def _bury(self, delivery: Delivery, reason: str) -> None:
        self._write_dead(delivery, reason)
        self._metrics.dead_lettered.labels(delivery.destination).inc()
        if (repeats := self._repeats.due("dead", f"{delivery.destination} {reason}")) is not None:
            log.error(
                "an event became a dead letter; further ones of this destination and reason are "
                "only counted; see: notifier dead-letters list",
                destination=delivery.destination,
                rule=delivery.event.rule,
                id=delivery.event.id,
                reason=reason,
                attempts=delivery.attempts,
                **repeats,
            )

    def _write_dead(self, delivery: Delivery, reason: str) -> None:
        self._write(delivery.number, delivery.dead(reason, monotonic_s(), unix_ms()))

    def _write(self, number: int, row: Row | None) -> None:
        self._pending.rows[number] = row
        self._has_pending.set()

    def _limit_pending(self) -> None:
        """Drop the oldest dead letters that cannot be written, above the limit of all."""
        dead = [
            n for n, row in self._pending.rows.items() if row is not None and row.state == "dead"
        ]
        for number in dead[: max(0, len(dead) - self._limits.dead_letters)]:
            self._pending.rows[number] = None
            self._count_lost(1)

    def _count_lost(self, count: int) -> None:
        if count <= 0:
            return
        self._metrics.lost.inc(count)
        if (repeats := self._repeats.due("lost")) is not None:
            log.error(
                "NOTIFIER_MAX_DEAD_LETTERS is reached; the oldest dead letters are deleted, and "
                "only counted from now on",
                **repeats,
            )

    def _close(self) -> None:
        with contextlib.suppress(OutboxUnavailable):
            self._file.close()
