"""Work on the database that is repeated beside the recording."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from history.errors import database_error
from recorder.recording import FAILURES

log = structlog.get_logger()

INTERVAL_S: Final = 30.0
"""The pause between two rounds: at 5,000 states a second, 40 MB arrive meanwhile."""


async def repeat(work: Callable[[], Awaitable[None]], name: str, stopping: asyncio.Event) -> None:
    """Do a round of work until `stopping` is set. What fails is tried again in the next round."""
    while not stopping.is_set():
        try:
            await work()
        except FAILURES as error:
            # The recording reports outages of the database; it writes more often.
            log.debug("work on the database failed", work=name, error=database_error(error))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), INTERVAL_S)
