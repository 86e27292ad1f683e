"""The worker's tasks: what one of them did not expect ends them all."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Tasks:
    """Starts tasks in a group that lives as long as the worker runs."""

    def __init__(self) -> None:
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, group: asyncio.TaskGroup) -> None:
        """Start what is asked for in this group."""
        self._group = group

    def close(self) -> None:
        """Start nothing any more."""
        self._group = None

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a task; before the group is open and after it is closed, nothing is started."""
        if self._group is None:
            work.close()
            return
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def fail(self, error: BaseException) -> None:
        """End everything for an error that nobody expects."""

        async def bring() -> None:
            raise error

        self.start(bring())

    async def cancel(self) -> None:
        """Cancel what has been started, and wait for its end."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
