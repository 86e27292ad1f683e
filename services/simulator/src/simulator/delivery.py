"""Delivery: reports to a target, each when it is due, until it is asked to stop."""

import asyncio
import contextlib
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from runtime.backoff import Backoff
from simulator.pacing import MOST_AT_ONCE, Pacer
from simulator.reports import Report, encode_body
from simulator.targets.target import Closed, Outgoing, Target, Unavailable

log = structlog.get_logger()

STOP_GRACE_S: Final = 0.4
"""How long what is being sent may take once the process is to stop."""

SUMMARY_S: Final = 60.0
"""How often, at most, it says how it goes."""

_RETRY: Final = Backoff(first=0.5, most=10)


@dataclass(slots=True)
class Tally:
    """How many states were sent, passed over because they were late, and not taken."""

    sent: int = 0
    skipped: int = 0
    failed: int = 0


class Delivery:
    """Sends `reports` to `target`; `tally` counts, also while it goes on.

    `count` states are sent in all, or any number when it is None.
    A report says that it was said at `start_us` plus its due time, microseconds since 1970, or now
    when that is None. With a given start the stream is to be whole, so nothing is skipped.
    """

    def __init__(
        self,
        reports: Iterator[Report],
        target: Target,
        *,
        count: int | None = None,
        start_us: int | None = None,
    ) -> None:
        self.tally = Tally()
        self._pacer = Pacer(reports, may_skip=start_us is None)
        self._target = target
        self._count = count
        self._start_us = start_us

        # The present outage
        self._attempt = 0
        self._is_said = False
        self._missed_before = 0

        # The minute
        self._next_summary_s = SUMMARY_S
        self._skipped_said = 0

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
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not stopping.is_set() and (left := self._left()):
            now_s = loop.time() - began
            step = self._pacer.step(now_s, at_most=left)
            self.tally.skipped += step.skipped
            self._say_how_it_goes(now_s)
            if step.due:
                await self._send(step.due, stopping)
            elif step.wait_s is None:
                return
            else:
                await _pause(step.wait_s, stopping)

    def _left(self) -> int:
        return (
            MOST_AT_ONCE
            if self._count is None
            else min(MOST_AT_ONCE, self._count - self.tally.sent)
        )

    async def _send(self, due: Sequence[Report], stopping: asyncio.Event) -> None:
        now_us = time.time_ns() // 1000
        batch = [
            Outgoing(report.pillow, encode_body(report, self._said_at_us(report, now_us)))
            for report in due
        ]
        try:
            await self._target.send(batch)
        except Unavailable as outage:
            if self._attempt == 0:
                self._missed_before = self._missed()
            self.tally.sent += outage.sent
            self.tally.failed += len(batch) - outage.sent
            await self._wait_out(outage, stopping)
        else:
            self.tally.sent += len(batch)
            self._end_outage()

    def _said_at_us(self, report: Report, now_us: int) -> int:
        return now_us if self._start_us is None else self._start_us + round(report.due_s * 1e6)

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
