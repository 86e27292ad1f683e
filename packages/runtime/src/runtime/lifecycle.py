"""The life of a service's process: one coroutine, until a signal stops it.

The first SIGTERM or SIGINT starts a graceful stop. The second, or the deadline, ends the process.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

import structlog
import uvloop

from runtime.command_names import command_name
from runtime.redaction import redact

log = structlog.get_logger()

STOP_DEADLINE_S: Final = 10.0
"""The deadline of a graceful stop; docker-compose.yml kills a container after 15 s."""

USAGE_EXIT: Final = 2


def exit_with_usage(command: str, message: str) -> NoReturn:
    """Exit at once with status 2, after a sentence on standard error."""
    sys.stderr.write(redact(f"{command_name(command)}: {message}\n"))
    raise SystemExit(USAGE_EXIT)


def run_service(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run `serve(stopping)` on uvloop; it returns soon after `stopping` is set.

    An exception from `serve` ends the process with its traceback and exit status 1.
    """
    try:
        uvloop.run(_until_stopped(serve))
    except BrokenPipeError:
        raise  # the reader of a command's output ended: its command line says nothing of it
    except Exception as error:
        # By the log, because Python's own traceback could quote a secret.
        log.critical("the process ends because of an unexpected error", exc_info=error)
        raise SystemExit(1) from None


async def _until_stopped(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def exit_now(reason: str) -> None:
        log.error("exiting before the stop is complete", reason=reason)
        os._exit(1)

    def on_signal(number: signal.Signals) -> None:
        if stopping.is_set():
            exit_now(f"second {number.name}")
        log.info("stopping", signal=number.name)
        stopping.set()
        reason = f"not complete {STOP_DEADLINE_S:.0f} s after the signal"
        loop.call_later(STOP_DEADLINE_S, exit_now, reason)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    await serve(stopping)
