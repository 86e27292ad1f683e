"""The producer: puts the planned messages on the queue, without a proxy, as it is drained."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zlib import crc32

from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from tests.fire.audit import Put
from tests.fire.messages import PlannedMessage
from tests.waiting import POLL_S, until

DEPTH: Final = 200
"""Limit of messages on the queue, because Azurite is slower the more there are."""

MAX_PUTS: Final = 8
"""Limit of concurrent puts; the messages of one pillow are put in order."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Producer:
    """Puts messages, and records when each was inserted."""

    def __init__(self, client: QueueClient, messages: Sequence[PlannedMessage]) -> None:
        self.puts: list[Put] = []
        self.limit = 0
        """Limit of messages put so far, set by the plan of failures."""
        self._client = client
        self._messages = messages
        self._paused = False
        self._open = asyncio.Event()
        self._under_way = 0

    @property
    def done(self) -> bool:
        """Whether every message is put."""
        return len(self.puts) == len(self._messages)

    async def run(self) -> None:
        """Put every message."""
        groups: list[list[PlannedMessage]] = [[] for _ in range(MAX_PUTS)]
        for one in self._messages:
            groups[crc32((one.pillow or str(one.number)).encode()) % MAX_PUTS].append(one)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch())
            putting = [group.create_task(self._put(some)) for some in groups]
            await asyncio.gather(*putting)
            watching.cancel()

    async def pause(self) -> None:
        """Pause, and wait until no put is under way."""
        self._paused = True
        self._open.clear()
        await until(lambda: self._under_way == 0, "the puts under way ended", within_s=30)

    def resume(self) -> None:
        """Continue after a pause."""
        self._paused = False

    async def _watch(self) -> None:
        while True:
            if not self._paused:
                self._under_way += 1
                try:
                    found = await self._client.get_queue_properties()
                finally:
                    self._under_way -= 1
                depth = found.approximate_message_count or 0
                if depth < DEPTH and len(self.puts) < self.limit and not self._paused:
                    self._open.set()
                else:
                    self._open.clear()
            await asyncio.sleep(2 * POLL_S)

    async def _put(self, some: Sequence[PlannedMessage]) -> None:
        for one in some:
            while not self._open.is_set():
                await self._open.wait()
            self._under_way += 1
            try:
                put = await self._client.send_message(one.text)
            finally:
                self._under_way -= 1
            self.puts.append(Put(one, _inserted_us(put), str(put.id)))


def _inserted_us(message: QueueMessage) -> int:
    assert message.inserted_on is not None
    return (message.inserted_on - _EPOCH) // timedelta(microseconds=1)
