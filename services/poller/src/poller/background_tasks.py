"""Background tasks of the worker: supervised in one group, so that an unexpected error ends all."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class BackgroundTasks:
    """Starts tasks in a task group that lives as long as the worker runs."""

    def __init__(self) -> None:
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, group: asyncio.TaskGroup) -> None:
        """Start tasks in this group from now on."""
        self._group = group

    def close(self) -> None:
        """Start no more tasks."""
        self._group = None

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a task; before `open` and after `close` the coroutine is closed instead."""
        if self._group is None:
            work.close()
            return
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def fail(self, error: BaseException) -> None:
        """End the group with an error that a callback met and nothing handles."""

        async def raise_error() -> None:
            raise error

        self.start(raise_error())

    async def cancel(self) -> None:
        """Cancel every task, and wait until all have ended; no task can be started any more."""
        self.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
