"""The sender: sends a stream's items to a target when they are due, until it is told to stop."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from runtime.backoff import Backoff
from simulator.stream.items import StreamItem
from simulator.stream.pacing import MAX_BATCH, Pacer, Step
from simulator.targets.target import OutputClosed, Target, Unavailable

log = structlog.get_logger()

STOP_GRACE_S: Final = 0.4
"""How long a batch that is being sent may take after the process was told to stop."""

PROGRESS_INTERVAL_S: Final = 60.0
"""Shortest interval between two log lines about the progress."""

_RETRY: Final = Backoff(first_s=0.5, max_s=10)


@dataclass(slots=True)
class SendStats:
    """What became of the messages that were due.

    `sent` were accepted by the target, `skipped` were too late, `failed` were not accepted, and
    `replaced` were superseded by a newer one because their pillow had no connection. `rejections`
    counts the sent messages that the poller will dead-letter, by reason.
    `max_late_s` is the largest delay of a sent message, `elapsed_s` the time since the start, and
    `due_s` the time in which the messages were due; None when nothing waits. `error` is why the
    target accepts nothing now; None while it does.
    """

    sent: int = 0
    skipped: int = 0
    failed: int = 0
    replaced: int = 0
    rejections: Counter[str] = field(default_factory=Counter)
    max_late_s: float = 0.0
    elapsed_s: float = 0.0
    due_s: float | None = None
    error: str | None = "not connected yet"

    @property
    def requested(self) -> int:
        """Number of messages that were due."""
        return self.sent + self.skipped + self.failed + self.replaced

    @property
    def requested_per_s(self) -> float:
        """Messages due per second of the time in which they were due."""
        span_s = self.elapsed_s if self.due_s is None else self.due_s
        return self.requested / span_s if span_s > 0 else 0.0

    @property
    def achieved_per_s(self) -> float:
        """Messages accepted per second of the elapsed time."""
        return self.sent / self.elapsed_s if self.elapsed_s > 0 else 0.0


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How items are sent.

    Sending ends after `count` messages; None: with the stream. `speed` is how many times as fast as
    real time; None: without waiting. Unless `may_skip`, no message is skipped, however late.
    """

    count: int | None = None
    speed: float | None = 1.0
    may_skip: bool = True


class Sender:
    """Sends `items` to `target`; `stats` is up to date at any time."""

    def __init__(
        self,
        items: Iterator[StreamItem],
        target: Target,
        options: SendOptions = SendOptions(),
        stats: SendStats | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stats = stats or SendStats()
        self._items, self._target, self._options = items, target, options
        self._clock = clock
        self._on_sent: tuple[Callable[[Sequence[StreamItem]], None], ...] = ()
        self._on_network_change: Callable[[StreamItem], None] = lambda _item: None

        # The present outage
        self._attempt = 0
        self._outage_logged = False
        self._missed_before = 0

        # The progress log
        self._next_progress_s = PROGRESS_INTERVAL_S
        self._skipped_logged = 0

    def set_listeners(
        self,
        *on_sent: Callable[[Sequence[StreamItem]], None],
        on_network_change: Callable[[StreamItem], None] = lambda _item: None,
    ) -> None:
        """Call these with every accepted batch, and with every change of a pillow's network."""
        self._on_sent, self._on_network_change = on_sent, on_network_change

    async def run(self, stopping: asyncio.Event) -> None:
        """Send until the stream ends, the output is closed, or `stopping` is set."""
        sending = asyncio.ensure_future(self._send_all(stopping))
        stop_requested = asyncio.ensure_future(stopping.wait())
        try:
            await asyncio.wait((sending, stop_requested), return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait((sending,), timeout=STOP_GRACE_S)
        finally:
            stop_requested.cancel()
            sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, OutputClosed):
            await sending

    async def _send_all(self, stopping: asyncio.Event) -> None:
        await self._target.wait_ready()
        self.stats.error = None
        # The pacer reads the first item at once, and its timestamp is the start of the stream. So
        # it is made only when the target is ready.
        pacer = Pacer(self._items, speed=self._options.speed, may_skip=self._options.may_skip)
        started = self._clock()
        try:
            while not stopping.is_set() and (remaining := self._remaining()):
                now_s = self._clock() - started
                step = pacer.step(now_s, at_most=remaining)
                self.stats.skipped += step.skipped
                self.stats.max_late_s = max(self.stats.max_late_s, step.late_s)
                self._update_times(step, self._clock() - started)
                self._log_progress(now_s)
                if step.due:
                    await self._send(step.due, stopping)
                elif step.wait_s is None:
                    return
                else:
                    await _sleep(step.wait_s, stopping)
        finally:
            self.stats.elapsed_s = self._clock() - started

    def _update_times(self, step: Step, elapsed_s: float) -> None:
        self.stats.elapsed_s = elapsed_s
        if self._options.speed is None:
            return
        if step.wait_s is not None and step.wait_s > 0:
            # Everything that was due by now has been released.
            self.stats.due_s = elapsed_s
        elif step.due:
            last_due_s = step.due[-1].due_s / self._options.speed
            self.stats.due_s = max(self.stats.due_s or 0.0, last_due_s)

    def _remaining(self) -> int:
        """Return how many items may be sent next."""
        if self._options.count is None:
            return MAX_BATCH
        return min(MAX_BATCH, self._options.count - self.stats.sent)

    async def _send(self, due: Sequence[StreamItem], stopping: asyncio.Event) -> None:
        batch = []
        for item in due:
            if item.network is None:
                batch.append(item)
            else:
                self._target.set_network(item.pillow, up=item.network == "up")
                self._on_network_change(item)
        if not batch:
            return
        try:
            await self._target.send(batch)
        except Unavailable as outage:
            if self._attempt == 0:
                self._missed_before = self._missed()
            self.stats.sent += outage.sent
            self.stats.failed += len(batch) - outage.sent
            await self._wait_for_recovery(outage, stopping)
        else:
            self._batch_accepted(batch)

    def _batch_accepted(self, batch: Sequence[StreamItem]) -> None:
        replaced = self._target.replaced - self.stats.replaced
        self.stats.replaced += replaced
        self.stats.sent += len(batch) - replaced
        for item in batch:
            if item.rejection is not None:
                self.stats.rejections[item.rejection] += 1
        for listener in self._on_sent:
            listener(batch)
        if self._outage_logged:
            log.info("sending resumed", missed=self._missed() - self._missed_before)
            self._skipped_logged = self.stats.skipped
        self._attempt, self._outage_logged = 0, False
        self.stats.error = None

    async def _wait_for_recovery(self, outage: Unavailable, stopping: asyncio.Event) -> None:
        self.stats.error = str(outage) or self.stats.error or "not connected"
        if str(outage) and not self._outage_logged:
            log.warning("sending failed; retrying until it succeeds", error=str(outage))
            self._outage_logged = True
        delay_s = _RETRY.delay(self._attempt, random.random())  # noqa: S311 - jitter
        self._attempt += 1
        await _sleep(delay_s, stopping)
        await self._target.wait_ready()

    def _missed(self) -> int:
        return self.stats.failed + self.stats.skipped

    def _log_progress(self, now_s: float) -> None:
        if now_s < self._next_progress_s:
            return
        self._next_progress_s = now_s + PROGRESS_INTERVAL_S
        skipped = self.stats.skipped - self._skipped_logged
        self._skipped_logged = self.stats.skipped
        if skipped:
            log.warning("too slow; late states were skipped", skipped=skipped, sent=self.stats.sent)
        else:
            log.debug("sending", sent=self.stats.sent, failed=self.stats.failed)


async def _sleep(seconds: float, stopping: asyncio.Event) -> None:
    """Wait for a time, or until `stopping` is set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
