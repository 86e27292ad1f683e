"""The queue's time, in which hops are stamped and the `at` of states is judged.

Messages have their insertion times from the queue's clock, and this machine's may differ from it.
"""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from azure_queue.queue_clock import AnswerTime, QueueClock
from contract.updates import EXPIRY_S, Update
from runtime.clocks import monotonic_s, unix_ms

log = structlog.get_logger()

MAX_OFFSET_S: Final = 5.0
"""This machine's clock is reported when it differs from the queue's by more than this."""

AGREEING_OFFSET_S: Final = 3.0
"""It agrees again when the difference is below this."""


class QueueTime:
    """Follows the queue's clock, and reports once when this machine's differs from it.

    Until an answer has told the queue's time, this machine's wall clock takes its place.
    """

    def __init__(
        self,
        wall_ms: Callable[[], int] = unix_ms,
        monotonic_s: Callable[[], float] = monotonic_s,
    ) -> None:
        self._wall_ms = wall_ms
        self.monotonic_s = monotonic_s
        """Returns seconds of a clock that nobody sets; it goes on while the machine sleeps."""
        self._clock = QueueClock()
        self._is_off = False
        self._became_known = asyncio.Event()

    @property
    def is_known(self) -> bool:
        """Whether an answer has told the queue's time."""
        return self._clock.is_known

    async def wait_known(self, timeout_s: float) -> None:
        """Wait until an answer has told the queue's time, at most `timeout_s` seconds."""
        if self.is_known:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._became_known.wait()

    def now_ms(self) -> int:
        """Return the queue's time in Unix milliseconds."""
        now_us = self._clock.now_us(self.monotonic_s())
        return self._wall_ms() if now_us is None else now_us // 1000

    def monotonic_ms(self) -> int:
        """Return the time of the clock that measures durations, in milliseconds."""
        return int(self.monotonic_s() * 1000)

    def offset_s(self) -> float:
        """Return this machine's wall clock minus the queue's, in seconds; NaN if not known."""
        return (self._wall_ms() - self.now_ms()) / 1000 if self.is_known else math.nan

    def observe(self, answer: AnswerTime) -> None:
        """Use what an answer says about the queue's clock."""
        self._clock.add(answer)
        if self.is_known:
            self._became_known.set()
            self._report_offset()

    def is_too_far_ahead(self, update: Update) -> bool:
        """Return whether a state on MQTT is later than a message may be.

        While the queue's time is not known no state is: this machine's clock may be behind.
        """
        return self.is_known and update.is_too_far_ahead(self.now_ms())

    def has_expired(self, update: Update) -> bool:
        """Return whether a broker has dropped a state since it was published last."""
        if update.published_ms is None or not self.is_known:
            return False
        return self.now_ms() - update.published_ms > EXPIRY_S * 1000

    def _report_offset(self) -> None:
        offset_s = self.offset_s()
        least_s = abs(offset_s) - self._clock.uncertainty_us / 1e6
        if not self._is_off and least_s > MAX_OFFSET_S:
            self._is_off = True
            log.warning(
                "this machine's clock differs from the queue's; set it, or start its time service. "
                "States are stamped in the queue's time meanwhile",
                offset_s=round(offset_s, 1),
            )
        elif self._is_off and abs(offset_s) < AGREEING_OFFSET_S:
            self._is_off = False
            log.info("this machine's clock agrees with the queue's", offset_s=round(offset_s, 1))
