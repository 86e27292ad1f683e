"""Puts the cargo on the queue in step with its draining, directly: what it puts is put."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zlib import crc32

from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from tests.fire.cargo import Cargo
from tests.fire.ledger import Put
from tests.waiting import POLL_S, until

DEPTH: Final = 200
"""How many messages may lie on the queue: what Azurite does takes it longer the more there are."""

HANDS: Final = 8
"""How many puts are under way at once; the messages of one pillow are put in their order."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Putter:
    """Puts, and writes down what was put when."""

    def __init__(self, client: QueueClient, cargo: Sequence[Cargo]) -> None:
        self.puts: list[Put] = []
        self.limit = 0
        """How many messages may have been put by now; the acts set it."""
        self._client = client
        self._cargo = cargo
        self._paused = False
        self._open = asyncio.Event()
        self._under_way = 0

    @property
    def done(self) -> bool:
        """Whether everything is put."""
        return len(self.puts) == len(self._cargo)

    async def run(self) -> None:
        """Put everything."""
        hands: list[list[Cargo]] = [[] for _ in range(HANDS)]
        for one in self._cargo:
            hands[crc32((one.pillow or str(one.number)).encode()) % HANDS].append(one)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch())
            putting = [group.create_task(self._put(hand)) for hand in hands]
            await asyncio.gather(*putting)
            watching.cancel()

    async def pause(self) -> None:
        """Stop putting; returns when no put is under way."""
        self._paused = True
        self._open.clear()
        await until(lambda: self._under_way == 0, "the puts under way ended", within_s=30)

    def resume(self) -> None:
        """Go on."""
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

    async def _put(self, hand: Sequence[Cargo]) -> None:
        for one in hand:
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
