"""Work that ends early when the session is asked to stop."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Stopped(Exception):
    """The session was asked to stop."""


async def until_stopped(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Await `work`; if `stopping` is set first, cancel it and raise Stopped."""
    task = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Stopped
        task.result()
    finally:
        task.cancel()
        stopped.cancel()
        await asyncio.gather(task, stopped, return_exceptions=True)
