"""One loop over the updates of a client."""

import asyncio

from pillowcast.pillow_state import Update
from pillowcast.update_queue import UpdateQueue


class Reader:
    """Waits for updates; what it cannot keep up with is reduced by its queue."""

    def __init__(self) -> None:
        self._queue = UpdateQueue()
        self._changed = asyncio.Event()
        self._has_ended = False
        self._error: BaseException | None = None

    @property
    def superseded(self) -> int:
        """How many updates were left out for newer ones."""
        return self._queue.superseded

    def push(self, update: Update) -> None:
        """Add an update."""
        self._queue.push(update)
        self._changed.set()

    def end(self, error: BaseException | None) -> None:
        """End after the updates that wait; `error` is raised then."""
        if not self._has_ended:
            self._has_ended = True
            self._error = error
            self._changed.set()

    async def next(self) -> Update | None:
        """Return the next update; None at the end."""
        while (update := self._queue.pop()) is None:
            if self._has_ended:
                if self._error is not None:
                    raise self._error
                return None
            self._changed.clear()
            await self._changed.wait()
        return update
