"""Azurite on disk, killed only when what it has saved is consistent.

Azurite saves every five seconds: its queues to one file, and the places of the messages' texts to
another. After a kill it starts from an older save, which the test needs: deleted messages return.
But it may also lose messages that it had confirmed, which Azure does not. Before a kill the test
therefore puts nothing more and holds back dead letters in the proxy, waits until everything that
was put is saved, and checks with the process stopped that both files are consistent. Meanwhile the
pollers continue to receive, renew and delete.

Dead letters are held back because Azurite could lose a copy that it had confirmed; the poller would
then rightly delete the only message left.
"""

import asyncio
import json
from pathlib import Path

from devstack.azurite import Azurite
from tests.waiting import POLL_S, until

SAVED_WITHIN_S = 60.0


class DurableAzurite(Azurite):
    """Azurite that saves to a folder."""

    def __init__(self, location: Path) -> None:
        super().__init__(location=location)
        self._queues = location / "__azurite_db_queue__.json"
        self._extents = location / "__azurite_db_queue_extent__.json"

    async def until_saved(self, message_id: str) -> None:
        """Wait until a message is saved, and with it all that were put before it."""
        await until(
            lambda: message_id in self._queues.read_text(),
            f"message {message_id} saved by Azurite, which saves every 5 s",
            within_s=SAVED_WITHIN_S,
        )

    async def kill_when_consistent(self) -> None:
        """Kill it as soon as its files are consistent."""
        async with asyncio.timeout(SAVED_WITHIN_S):
            while True:
                self.pause()
                if self._is_consistent():
                    break
                self.resume()
                await asyncio.sleep(POLL_S)
        self.kill()
        await self.wait()

    def _is_consistent(self) -> bool:
        """Return whether the place of every message's text is saved."""
        messages = _documents(self._queues, "$MESSAGES_COLLECTION$")
        known = {one["id"] for one in _documents(self._extents, "$EXTENTS_COLLECTION$")}
        return {one["persistency"]["id"] for one in messages} <= known


def _documents(path: Path, collection: str) -> list[dict[str, dict[str, object]]]:
    """Return a collection of a LokiJS file."""
    (found,) = [
        one for one in json.loads(path.read_text())["collections"] if one["name"] == collection
    ]
    documents: list[dict[str, dict[str, object]]] = found["data"]
    return documents
