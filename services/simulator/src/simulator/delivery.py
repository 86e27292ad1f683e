"""Delivery: what is on its way to a target, each when it is due, until it is asked to stop."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from runtime.backoff import Backoff
from simulator.stream.faults import Item
from simulator.stream.pacing import MOST_AT_ONCE, Pacer, Step
from simulator.targets.target import Closed, Target, Unavailable

log = structlog.get_logger()

STOP_GRACE_S: Final = 0.4
"""How long what is being sent may take once the process is to stop."""

SUMMARY_S: Final = 60.0
"""How often, at most, it says how it goes."""

_RETRY: Final = Backoff(first=0.5, most=10)


@dataclass(slots=True)
class Tally:
    """What became of the messages that were due.

    `sent` were taken, `skipped` passed over because they were late, `failed` not taken, `unsaid`
    replaced by a newer one because their pillow had no connection.
    `reasons` counts those among the sent that will be dead letters, by why.
    `worst_late_s` is how late the latest was that was sent, `elapsed_s` how long it all took, and
    `due_s` how long it was to take; None when nothing waits.
    """

    sent: int = 0
    skipped: int = 0
    failed: int = 0
    unsaid: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    worst_late_s: float = 0.0
    elapsed_s: float = 0.0
    due_s: float | None = None

    @property
    def asked(self) -> int:
        """How many were due."""
        return self.sent + self.skipped + self.failed + self.unsaid

    @property
    def asked_per_s(self) -> float:
        """How many a second were due: in the time in which they were, not in which they went."""
        span_s = self.elapsed_s if self.due_s is None else self.due_s
        return self.asked / span_s if span_s > 0 else 0.0

    @property
    def achieved_per_s(self) -> float:
        """How many a second were taken."""
        return self.sent / self.elapsed_s if self.elapsed_s > 0 else 0.0


class Delivery:
    """Sends `items` to `target`; `tally` counts, also while it goes on.

    `count` messages are sent in all, or any number when it is None. At `speed` None nothing waits.
    Unless `may_skip`, nothing is passed over, however late.
    """

    def __init__(
        self,
        items: Iterator[Item],
        target: Target,
        *,
        count: int | None = None,
        speed: float | None = 1.0,
        may_skip: bool = True,
    ) -> None:
        self.tally = Tally()
        self._items, self._speed, self._may_skip = items, speed, may_skip
        self._target = target
        self._count = count
        self._on_sent: tuple[Callable[[Sequence[Item]], None], ...] = ()
        self._on_link: Callable[[Item], None] = lambda _item: None

        # The present outage
        self._attempt = 0
        self._is_said = False
        self._missed_before = 0

        # The minute
        self._next_summary_s = SUMMARY_S
        self._skipped_said = 0

    def hear(
        self,
        *on_sent: Callable[[Sequence[Item]], None],
        on_link: Callable[[Item], None] = lambda _item: None,
    ) -> None:
        """Tell these of what was taken, and of networks that come and go."""
        self._on_sent, self._on_link = on_sent, on_link

    async def run(self, stopping: asyncio.Event) -> None:
        """Deliver until all is sent, nobody reads any more, or `stopping` is set."""
        work = asyncio.ensure_future(self._deliver(stopping))
        asked = asyncio.ensure_future(stopping.wait())
        try:
            await asyncio.wait((work, asked), return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait((work,), timeout=STOP_GRACE_S)
        finally:
            asked.cancel()
            work.cancel()
        with contextlib.suppress(asyncio.CancelledError, Closed):
            await work

    async def _deliver(self, stopping: asyncio.Event) -> None:
        await self._target.ready()
        # Only now: the first item is stamped with the time at which the stream begins.
        pacer = Pacer(self._items, speed=self._speed, may_skip=self._may_skip)
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            while not stopping.is_set() and (left := self._left()):
                now_s = loop.time() - began
                step = pacer.step(now_s, at_most=left)
                self.tally.skipped += step.skipped
                self.tally.worst_late_s = max(self.tally.worst_late_s, step.late_s)
                self._count_time(step, loop.time() - began)
                self._say_how_it_goes(now_s)
                if step.due:
                    await self._send(step.due, stopping)
                elif step.wait_s is None:
                    return
                else:
                    await _pause(step.wait_s, stopping)
        finally:
            self.tally.elapsed_s = loop.time() - began

    def _count_time(self, step: Step, elapsed_s: float) -> None:
        self.tally.elapsed_s = elapsed_s
        if self._speed is None:
            return
        if step.wait_s is not None and step.wait_s > 0:
            self.tally.due_s = elapsed_s  # nothing more was due by now
        elif step.due:
            self.tally.due_s = max(self.tally.due_s or 0.0, step.due[-1].due_s / self._speed)

    def _left(self) -> int:
        return (
            MOST_AT_ONCE
            if self._count is None
            else min(MOST_AT_ONCE, self._count - self.tally.sent)
        )

    async def _send(self, due: Sequence[Item], stopping: asyncio.Event) -> None:
        batch = []
        for item in due:
            if item.link is None:
                batch.append(item)
            else:
                self._target.network(item.pillow, up=item.link == "up")
                self._on_link(item)
        if not batch:
            return
        try:
            await self._target.send(batch)
        except Unavailable as outage:
            if self._attempt == 0:
                self._missed_before = self._missed()
            self.tally.sent += outage.sent
            self.tally.failed += len(batch) - outage.sent
            await self._wait_out(outage, stopping)
        else:
            unsaid = self._target.unsaid - self.tally.unsaid
            self.tally.unsaid += unsaid
            self.tally.sent += len(batch) - unsaid
            for item in batch:
                if item.reason is not None:
                    self.tally.reasons[item.reason] += 1
            for hear in self._on_sent:
                hear(batch)
            self._end_outage()

    async def _wait_out(self, outage: Unavailable, stopping: asyncio.Event) -> None:
        if str(outage) and not self._is_said:
            log.warning("states are not taken; trying again until they are", why=str(outage))
            self._is_said = True
        delay_s = _RETRY.delay(self._attempt, random.random())  # noqa: S311 - jitter
        self._attempt += 1
        await _pause(delay_s, stopping)
        await self._target.ready()

    def _end_outage(self) -> None:
        if self._is_said:
            log.info("states are taken again", missed=self._missed() - self._missed_before)
            self._skipped_said = self.tally.skipped
        self._attempt, self._is_said = 0, False

    def _missed(self) -> int:
        return self.tally.failed + self.tally.skipped

    def _say_how_it_goes(self, now_s: float) -> None:
        if now_s < self._next_summary_s:
            return
        self._next_summary_s = now_s + SUMMARY_S
        skipped = self.tally.skipped - self._skipped_said
        self._skipped_said = self.tally.skipped
        if skipped:
            log.warning("fell behind and left states out", skipped=skipped, sent=self.tally.sent)
        else:
            log.debug("sending", sent=self.tally.sent, failed=self.tally.failed)


async def _pause(seconds: float, stopping: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
