"""A run: a plan, made a stream, sent to a target, shown on a terminal or told in a log."""

import asyncio
import logging
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, TextIO, cast

import structlog
from rich.console import Console
from rich.live import Live

from runtime.logs import configure_logs
from simulator.board import Board, repeat
from simulator.delivery import Delivery
from simulator.model.fleet import fleet, pillow_id
from simulator.scenario.plan import Plan
from simulator.settings import SimulatorSettings, TargetName
from simulator.stream.faults import Item, Stream
from simulator.targets import open_target

log = structlog.get_logger()

CONNECTIONS: Final = 200
"""Up to how many pillows have an MQTT connection of their own; larger fleets share one."""

_REFRESH_S: Final = 0.25


class Clock:
    """Which time it is at a number of seconds of the stream, in microseconds since 1970.

    With a given start the stream tells its own time, which is what makes its bytes the same. Else
    it is the wall clock's: when a thing is due, or, when nothing waits, now.
    """

    def __init__(self, start_us: int | None, speed: float | None) -> None:
        self._start_us, self._speed = start_us, speed
        self._began_us: int | None = None

    def __call__(self, due_s: float) -> int:
        """Return the time at `due_s`."""
        if self._start_us is not None:
            return self._start_us + round(due_s * 1e6)
        now_us = time.time_ns() // 1000
        if self._speed is None:
            return now_us
        if self._began_us is None:
            self._began_us = now_us
        return self._began_us + round(due_s / self._speed * 1e6)


class Run:
    """One run of a plan; `board` knows how it goes."""

    def __init__(
        self,
        plan: Plan,
        settings: SimulatorSettings,
        target: TargetName,
        *,
        count: int | None = None,
        start_us: int | None = None,
        may_skip: bool = True,
        connections: int = CONNECTIONS,
        on_sent: Callable[[Sequence[Item]], None] = lambda _batch: None,
    ) -> None:
        self.plan, self.settings, self.target_name = plan, settings, target
        speed = None if plan.speed == "max" else float(plan.speed)
        self._events = fleet(plan.groups, plan.seed)
        self.stream = Stream(plan, self._events, Clock(start_us, speed))
        self._speed, self._count = speed, count
        self._may_skip = may_skip and start_us is None
        self._on_sent = on_sent
        own = plan.pillows <= connections
        self.connected = (
            [
                pillow_id(kind.name, number)
                for kind, number_of in plan.groups
                for number in range(1, number_of + 1)
            ]
            if own
            else []
        )

    async def go(self, stopping: asyncio.Event, *, live: bool) -> Board:
        """Run to the end, or until `stopping` is set; return what there is to say of it."""
        plan = self.plan
        async with open_target(self.target_name, self.settings, pillows=self.connected) as target:
            delivery = Delivery(
                iter(self.stream),
                target,
                count=self._count,
                speed=self._speed,
                may_skip=self._may_skip,
            )
            board = Board(plan, self.target_name, delivery.tally, self.stream.counts)
            delivery.hear(board.sent, self._on_sent, on_link=board.link)
            log.info(
                "simulating",
                target=self.target_name,
                pillows=plan.pillows,
                scenario=plan.name,
                seed=plan.seed,
                hour=f"{int(plan.hour):02}:{int(plan.hour % 1 * 60):02}",
                speed=plan.speed,
                repeat=repeat(plan),
            )
            try:
                async with _shown(board, live=live):
                    await delivery.run(stopping)
            finally:
                log.info("stopped", **board.facts())
        return board


class _AboveTable:
    """A stream for log lines that go above the live table."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> int:
        """Print a line."""
        if text.strip():
            self._console.out(text.rstrip("\n"), highlight=False)
        return len(text)

    def flush(self) -> None:
        """Do nothing: a console keeps nothing back."""

    def isatty(self) -> bool:
        """Say yes: that is why there is a table."""
        return True


CONSOLE: Final = Console(stderr=True)


class OncePerOutage(logging.Filter):
    """Lets one line through where each of many pillows' connections has the same to say."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a line is news."""
        fields = record.msg
        if not isinstance(fields, dict):
            return True
        if "pillow" not in fields:
            if fields.get("event") == "broker ready":
                self._said.clear()
            return True
        # An error is never one of many; that a pillow has come is its ordinary life.
        if record.levelno != logging.WARNING:
            return record.levelno > logging.WARNING
        says = f"{fields.get('event')} {_ID.sub('PILLOW', str(fields.get('error')))}"
        is_news = says not in self._said
        self._said.add(says)
        return is_news


_ID: Final = re.compile(r"[a-z0-9-]+(?=/availability)")


def set_up_logs(settings: SimulatorSettings, *, live: bool) -> None:
    """Send log lines to standard error, above the table where there is one."""
    stream = cast(TextIO, _AboveTable(CONSOLE)) if live else sys.stderr
    configure_logs("simulator", level=settings.log_level, style=settings.log_format, stream=stream)
    if settings.log_level != "debug":
        for handler in logging.getLogger().handlers:
            handler.addFilter(OncePerOutage())


def may_be_live(target: TargetName, *, plain: bool) -> bool:
    """Say whether there is to be a table: a person sees it, and it covers no messages."""
    return not plain and CONSOLE.is_terminal and not (target == "stdout" and sys.stdout.isatty())


@asynccontextmanager
async def _shown(board: Board, *, live: bool) -> AsyncIterator[None]:
    if not live:
        yield
        return
    with Live(board.table(), console=CONSOLE, auto_refresh=False, transient=True) as screen:

        async def refresh() -> None:
            while True:
                screen.update(board.table(), refresh=True)
                await asyncio.sleep(_REFRESH_S)

        refreshing = asyncio.create_task(refresh())
        try:
            yield
        finally:
            refreshing.cancel()
