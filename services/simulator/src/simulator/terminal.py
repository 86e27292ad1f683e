"""The terminal: the live dashboard, and the log lines above it or instead of it."""

import asyncio
import logging
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TextIO, cast

from rich.console import Console
from rich.live import Live

from runtime.log_levels import parse_log_levels
from runtime.startup import configure_service_logs
from simulator.dashboard import Dashboard
from simulator.settings import SimulatorSettings, TargetName

CONSOLE: Final = Console(stderr=True)
RESULT_CONSOLE: Final = Console(highlight=False)
"""For what a command was asked for, which scripts read."""

_REFRESH_S: Final = 0.25
_PILLOW_ID: Final = re.compile(r"[a-z0-9-]+(?=/availability)")


class _LinesAboveTable:
    """A text stream that prints log lines above the live table."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> int:
        """Print a line."""
        if text.strip():
            self._console.out(text.rstrip("\n"), highlight=False)
        return len(text)

    def flush(self) -> None:
        """Do nothing, because the console does not buffer."""

    def isatty(self) -> bool:
        """Return True, because there is a table only on a terminal."""
        return True


class DuplicateWarningFilter(logging.Filter):
    """Passes a warning once where the connection of each of many pillows logs the same one."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[tuple[str, ...]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is passed."""
        event = record.msg
        if not isinstance(event, dict):
            return True
        if "pillow" not in event:
            if event.get("event") == "broker ready":
                self._seen.clear()
            return True
        # Errors of single pillows are always passed; lines below a warning are routine.
        if record.levelno != logging.WARNING:
            return record.levelno > logging.WARNING
        # The fields of two pillows' lines differ in the pillow and in its topic.
        line = tuple(
            f"{name}={_PILLOW_ID.sub('PILLOW', str(value))}"
            for name, value in sorted(event.items())
            if name in ("event", "error")
        )
        is_new = line not in self._seen
        self._seen.add(line)
        return is_new


def set_up_logs(settings: SimulatorSettings, *, live: bool) -> None:
    """Log to standard error; with a live table, above it."""
    stream = cast(TextIO, _LinesAboveTable(CONSOLE)) if live else sys.stderr
    configure_service_logs("simulator", settings, stream=stream)
    if parse_log_levels(settings.log_level).default != "debug":
        for handler in logging.getLogger().handlers:
            handler.addFilter(DuplicateWarningFilter())


def is_live(target: TargetName, *, plain: bool) -> bool:
    """Return whether to show the table: on a terminal that does not also receive the messages."""
    return not plain and CONSOLE.is_terminal and not (target == "stdout" and sys.stdout.isatty())


@asynccontextmanager
async def live_dashboard(dashboard: Dashboard, *, live: bool) -> AsyncIterator[None]:
    """Show the dashboard's table and refresh it; do nothing unless `live`."""
    if not live:
        yield
        return
    with Live(dashboard.table(), console=CONSOLE, auto_refresh=False, transient=True) as screen:

        async def refresh() -> None:
            while True:
                screen.update(dashboard.table(), refresh=True)
                await asyncio.sleep(_REFRESH_S)

        refreshing = asyncio.create_task(refresh())
        try:
            yield
        finally:
            refreshing.cancel()
