"""A process's life: settings, logs, then one coroutine until a signal asks it to stop.

The first SIGTERM or SIGINT asks to finish what is in hand; the second, or the deadline, ends it.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

import structlog
import uvloop

log = structlog.get_logger()

STOP_DEADLINE_S: Final = 10.0
"""How long a graceful stop may take; containers are killed after 15 s (docker-compose.yml)."""

USAGE_EXIT: Final = 2


def exit_with_usage(command: str, message: str) -> NoReturn:
    """Leave at once with exit status 2 and a sentence on standard error."""
    sys.stderr.write(f"{command}: {message}\n")
    raise SystemExit(USAGE_EXIT)


def run_service(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run `serve(stopping)` on uvloop; it returns soon after `stopping` is set.

    An exception from `serve` ends the process with its traceback and exit status 1.
    """
    uvloop.run(_until_stopped(serve))


async def _until_stopped(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def leave_now(why: str) -> None:
        log.error("leaving without finishing", why=why)
        os._exit(1)

    def on_signal(number: signal.Signals) -> None:
        if stopping.is_set():
            leave_now(f"second {number.name}")
        log.info("stopping", signal=number.name)
        stopping.set()
        loop.call_later(STOP_DEADLINE_S, leave_now, f"not done {STOP_DEADLINE_S:.0f} s after asked")

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    await serve(stopping)
