"""Recording: writes what arrives in batches, and keeps it while the database is away."""

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from typing import Final, Protocol

import structlog
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from contract.updates import Update
from history.errors import database_error
from history.listening import Listening
from history.spans import Span
from recorder.database_health import DatabaseHealth
from recorder.intake import Intake
from recorder.metrics import RecorderMetrics
from recorder.store import Written
from runtime.backoff import Backoff
from runtime.log_repeats import LogRepeats
from runtime.queue_aware_clock import Clock

log = structlog.get_logger()

BATCH: Final = 2000
"""The most states of a transaction."""

GATHER_S: Final = 0.25
"""How long states are gathered for a transaction, unless a batch is full before: how late the
history may be."""

LISTENED_S: Final = 10.0
"""How often `listened` is written while nothing arrives: what a kill may leave out of it."""

_BACKOFF: Final = Backoff(first_s=0.5, max_s=5)

FAILURES: Final = (SQLAlchemyError, OSError, TimeoutError)
"""What a transaction raises whose database is away, full or wrong."""


class Store(Protocol):
    """Where states are written."""

    async def write(self, updates: Sequence[Update], listened: Sequence[Span]) -> Written:
        """Write all or nothing."""


class Recording:
    """The states between the broker and the database."""

    def __init__(
        self,
        store: Store,
        intake: Intake,
        clock: Clock,
        health: DatabaseHealth,
        metrics: RecorderMetrics,
    ) -> None:
        self._store = store
        self._intake = intake
        self._clock = clock
        self._health = health
        self._metrics = metrics
        self._listening = Listening()
        self._broker_is_ready = False
        self._full = asyncio.Event()
        self._repeats = LogRepeats()
        self._listened_s = 0.0

    def receive(self, update: Update) -> None:
        """Take a state; above the limit it is counted, and nobody was listening."""
        if self._intake.add(update):
            if self._broker_is_ready:
                self._listening.start(self._clock.monotonic_ms())
            if len(self._intake) >= BATCH:
                self._full.set()
            return
        self._metrics.lost.labels("buffer-full").inc()
        self._stop_listening()
        if (repeats := self._repeats.due("full")) is not None:
            log.error(
                "states are not recorded, because RECORDER_BUFFER_BYTES is reached; they are "
                "counted, and the summary says that nobody listened",
                waiting=len(self._intake),
                bytes=self._intake.bytes,
                **repeats,
            )

    def on_ready(self) -> None:
        """Note that the broker delivers every state from now on."""
        self._broker_is_ready = True
        self._listening.start(self._clock.monotonic_ms())

    def on_lost(self) -> None:
        """Note that the broker is away."""
        self._broker_is_ready = False
        self._stop_listening()

    async def run(self, stopping: asyncio.Event) -> None:
        """Write until `stopping` is set, and then what is left, if the database answers."""
        attempt = 0
        while not stopping.is_set():
            await self._gather(stopping)
            attempt = 0 if await self._write_waiting(stopping) else attempt + 1
            if attempt:
                delay_s = _BACKOFF.delay(attempt - 1, random.random())  # noqa: S311 - jitter
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), delay_s)
        self._stop_listening()
        while await self._write_batch() and len(self._intake):
            pass
        if len(self._intake):
            self._metrics.lost.labels("stopped").inc(len(self._intake))
            log.error("states are lost, because the database fails", states=len(self._intake))

    async def _gather(self, stopping: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(one.wait()) for one in (self._full, stopping)]
        await asyncio.wait(waits, timeout=GATHER_S, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        self._full.clear()

    async def _write_waiting(self, stopping: asyncio.Event) -> bool:
        """Write all that waits; return whether nothing failed."""
        while self._is_due():
            if not await self._write_batch():
                return False
            if stopping.is_set():
                break
        return True

    def _is_due(self) -> bool:
        if len(self._intake) or self._listening.ended():
            return True
        return time.monotonic() - self._listened_s >= LISTENED_S

    async def _write_batch(self) -> bool:
        """Write the oldest states; return whether the database took them."""
        updates = self._intake.first(BATCH)
        is_all = len(updates) == len(self._intake)
        ended = self._listening.ended()
        # What has arrived until now is in this batch, unless more than a batch waits.
        current = self._span() if is_all else None
        began_s = time.monotonic()
        try:
            written = await self._store.write(updates, [*ended, current] if current else ended)
        except FAILURES as error:
            if _is_of_content(error) and updates:
                return await self._write_singly(updates)
            self._health.record_failure(database_error(error), waiting=len(self._intake))
            return False
        self._metrics.commit_s.observe(time.monotonic() - began_s)
        self._intake.discard(len(updates))
        self._listening.discard(len(ended))
        self._listened_s = time.monotonic()
        self._health.record_success()
        self._count(written, len(updates))
        if self._intake.bytes == 0:
            self._repeats.is_over("full")
        return True

    async def _write_singly(self, updates: Sequence[Update]) -> bool:
        """Write states one by one, because the database refused one of them; it is counted."""
        for update in updates:
            try:
                written = await self._store.write([update], [])
            except FAILURES as error:
                if not _is_of_content(error):
                    self._health.record_failure(database_error(error), waiting=len(self._intake))
                    return False
                self._metrics.lost.labels("refused").inc()
                if (repeats := self._repeats.due("refused", update.pillow)) is not None:
                    log.error(
                        "the database refused a state; further ones of this pillow are only "
                        "counted",
                        pillow=update.pillow,
                        error=database_error(error),
                        **repeats,
                    )
            else:
                self._count(written, 1)
            self._intake.discard(1)
        return True

    def _count(self, written: Written, count: int) -> None:
        self._metrics.recorded.inc(written.new)
        self._metrics.known.inc(count - written.new - written.over_limit)
        if written.over_limit:
            self._metrics.lost.labels("over-limit").inc(written.over_limit)
            if (repeats := self._repeats.due("over-limit")) is not None:
                log.error(
                    "states of new pillows are not recorded, because RECORDER_MAX_PILLOWS is "
                    "reached; further ones are only counted",
                    **repeats,
                )

    def _span(self) -> Span | None:
        # Until the queue's time is known, the wall clock of this machine could be far from it.
        if not self._clock.is_settled:
            return None
        return self._listening.span(self._clock.monotonic_ms(), self._now_us())

    def _stop_listening(self) -> None:
        self._listening.stop(self._clock.monotonic_ms(), self._now_us())

    def _now_us(self) -> int:
        return self._clock.read().best_us


def _is_of_content(error: BaseException) -> bool:
    """Return whether a database refused what it was given, and not because it is away or full."""
    return isinstance(error, DataError | IntegrityError)
