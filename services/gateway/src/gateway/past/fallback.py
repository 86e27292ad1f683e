"""Past states of a database, and of memory while the database is away."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar

import structlog
from prometheus_client import Gauge

from gateway.past.source import PastStates, PastUnavailable
from history.hugs import Hugs
from history.pages import Page, Position
from history.spans import Span
from history.tallies import Activity
from runtime.clocks import monotonic_s
from runtime.dependency_health import DependencyHealth
from runtime.error_text import brief_error
from runtime.outage import Report

log = structlog.get_logger()

DEADLINE_S: Final = 2.0
"""How long a request waits for the database before it is answered from memory."""

PAUSE_S: Final = 5.0
"""How long requests are answered from memory, without a wait, after the database has failed."""

MAX_QUESTIONS: Final = 4
"""How many questions the database has at once, as many as its connections; others wait, and that
wait is no fault of the database."""

T = TypeVar("T")


class PastWithFallback:
    """Past states of the database, and of memory while it is away: slower to tell, never down."""

    def __init__(self, database: PastStates | None, memory: PastStates, history_up: Gauge) -> None:
        """`history_up` is 1 while the database answers, else 0."""
        self._database = database
        self._memory = memory
        self._health = DependencyHealth(history_up, clock=monotonic_s)
        self._turns = asyncio.Semaphore(MAX_QUESTIONS)
        self._retry_s = 0.0

    @property
    def has_database(self) -> bool:
        """Whether there is a database beside memory."""
        return self._database is not None

    async def page(
        self, pillow: str, first: Position, until_us: int, limit: int
    ) -> tuple[Page | None, bool]:
        """Return a page, and whether it is of the database."""
        return await self._ask(lambda source: source.page(pillow, first, until_us, limit))

    async def activity(
        self, pillow: str, spans: Sequence[Span], now_us: int
    ) -> tuple[Activity | None, bool]:
        """Return what a pillow did in spans, and whether it is of the database."""
        return await self._ask(lambda source: source.activity(pillow, spans, now_us))

    async def hugs(self, from_us: int, until_us: int) -> tuple[Mapping[str, Hugs], bool]:
        """Return the hugs of each pillow, and whether they are of the database."""
        found, is_recorded = await self._ask(lambda source: source.hugs(from_us, until_us))
        return found or {}, is_recorded

    def memory_since_us(self) -> int | None:
        """Return from when on there is everything in memory."""
        return self._memory.since_us()

    async def _ask(
        self, question: Callable[[PastStates], Awaitable[T | None]]
    ) -> tuple[T | None, bool]:
        if self._is_due():
            async with self._turns:
                # Not if it has failed while this question waited for its turn.
                if self._is_due():
                    found = await self._ask_database(question)
                    if found is not None:
                        return found, True
        # What the recorder has not written yet, memory may have.
        return await question(self._memory), False

    def _is_due(self) -> bool:
        return self._database is not None and monotonic_s() >= self._retry_s

    async def _ask_database(
        self, question: Callable[[PastStates], Awaitable[T | None]]
    ) -> T | None:
        """Return the database's answer; None where it has none, and where it fails."""
        assert self._database is not None, "there is no database"
        try:
            async with asyncio.timeout(DEADLINE_S):
                answer = await question(self._database)
        except PastUnavailable as error:
            self._record_failure(str(error))
        except TimeoutError as error:
            self._record_failure(brief_error(error))
        else:
            self._record_success()
            return answer
        return None

    def _record_failure(self, error: str) -> None:
        self._retry_s = monotonic_s() + PAUSE_S
        report = self._health.record_failure(error)
        if report is Report.FAILED:
            log.warning(
                "the database of HISTORY_URL cannot be read; past states are told from memory, "
                "and it is tried again with requests",
                error=error,
            )
        elif report is Report.STILL_FAILS:
            log.warning(
                "the database of HISTORY_URL still cannot be read",
                error=error,
                after_s=self._health.after_s,
            )

    def _record_success(self) -> None:
        if self._health.record_success():
            log.info(
                "the database of HISTORY_URL is read again",
                after_s=self._health.after_s,
            )
