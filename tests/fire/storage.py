"""Azurite on disk, killed only when what it has saved is whole.

Azurite saves every five seconds: its queues in one file, and where each message's text is in
another. A kill may take it back to an older save, which is what the test wants: messages that
were deleted come back. But it may also lose messages that it had confirmed, which Azure does not.
So before a kill nothing more is put, neither by the test nor, through the proxy, as a dead letter;
the test waits until a save holds all that was put; and it looks, with the process stopped, whether
both files fit together. Meanwhile the pollers go on receiving, renewing and deleting.

That dead letters have to wait is no kindness to the poller: receipts survive in a save, so a copy
that Azurite had confirmed and lost would leave a message that the poller may rightly delete.
"""

import asyncio
import json
from pathlib import Path

from devstack.azurite import Azurite
from tests.waiting import POLL_S, until

SAVED_WITHIN_S = 60.0


class DurableAzurite(Azurite):
    """Azurite with a folder."""

    def __init__(self, location: Path) -> None:
        super().__init__(location=location)
        self._queues = location / "__azurite_db_queue__.json"
        self._extents = location / "__azurite_db_queue_extent__.json"

    async def until_saved(self, message_id: str) -> None:
        """Wait until a save holds a message, and with it all that were put before it."""
        await until(
            lambda: message_id in self._queues.read_text(),
            f"message {message_id} saved by Azurite, which saves every 5 s",
            within_s=SAVED_WITHIN_S,
        )

    async def kill_when_whole(self) -> None:
        """Kill it at the next moment at which its files fit together."""
        async with asyncio.timeout(SAVED_WITHIN_S):
            while True:
                self.pause()
                if self._is_whole():
                    break
                self.resume()
                await asyncio.sleep(POLL_S)
        self.kill()
        await self.wait()

    def _is_whole(self) -> bool:
        """Whether for every message in the one file the other knows where its text is."""
        messages = _documents(self._queues, "$MESSAGES_COLLECTION$")
        known = {one["id"] for one in _documents(self._extents, "$EXTENTS_COLLECTION$")}
        return {one["persistency"]["id"] for one in messages} <= known


def _documents(path: Path, collection: str) -> list[dict[str, dict[str, object]]]:
    """Read a collection of a LokiJS file."""
    (found,) = [
        one for one in json.loads(path.read_text())["collections"] if one["name"] == collection
    ]
    documents: list[dict[str, dict[str, object]]] = found["data"]
    return documents
