"""The Azure Storage Queue as a target, and as a place to look at."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from azure_queue.account import StorageAccount
from azure_queue.errors import QueueDenied, QueueNotFound, QueueUnavailable, queue_deleted
from azure_queue.storage_queue import StorageQueue
from azure_queue.xml_codec import QueueMessage
from runtime.settings import SettingsError
from simulator.settings import SimulatorSettings
from simulator.stream.items import StreamItem
from simulator.targets.target import Unavailable

MAX_CONCURRENT_PUTS: Final = 32

TTL_S: Final = 3600
"""The time to live of a simulated state, so that they do not pile up for days without a poller."""


@asynccontextmanager
async def queue_target(settings: SimulatorSettings) -> AsyncIterator["QueueTarget"]:
    """Open the queue as a target; raises SettingsError if the settings name no account."""
    async with AsyncExitStack() as stack:
        account = await stack.enter_async_context(StorageAccount(settings))
        yield QueueTarget(await _opened(account, settings.queue, stack))


async def _opened(account: StorageAccount, name: str, stack: AsyncExitStack) -> StorageQueue:
    try:
        queue = account.queue(name)
    except QueueDenied as error:
        raise SettingsError(str(error)) from None
    return await stack.enter_async_context(queue)


class QueueTarget:
    """Puts states on a queue, which is created if it does not exist."""

    replaced = 0

    def __init__(self, queue: StorageQueue) -> None:
        self._queue = queue
        self._free = asyncio.Semaphore(MAX_CONCURRENT_PUTS)

    def set_network(self, pillow: str, *, up: bool) -> None:
        """Do nothing: a pillow that puts messages on a queue keeps no connection."""

    async def wait_ready(self) -> None:
        """Return at once: the first put shows whether the queue exists."""

    async def send(self, batch: Sequence[StreamItem]) -> None:
        """Put each state on the queue: one pillow's states in order, pillows concurrently."""
        by_pillow: dict[str, list[StreamItem]] = {}
        for item in batch:
            by_pillow.setdefault(item.pillow, []).append(item)
        errors: list[Exception] = []
        sent = sum(
            await asyncio.gather(
                *(self._send_in_order(items, errors) for items in by_pillow.values())
            )
        )
        if errors:
            raise Unavailable(sent, str(errors[0]))

    async def _send_in_order(self, items: list[StreamItem], errors: list[Exception]) -> int:
        """Return how many were put.

        One pillow's error ends the puts of all, so that an outage costs one timeout.
        """
        sent = 0
        for item in items:
            async with self._free:
                if errors:
                    break
                try:
                    await self._put(item.body.decode())
                except (QueueUnavailable, QueueDenied) as error:
                    errors.append(error)
                    break
            sent += 1
        return sent

    async def _put(self, text: str) -> None:
        try:
            await self._queue.put(text, TTL_S)
        except QueueNotFound:
            # Only now, because a credential may add messages without the right to create queues.
            await self._queue.create()
            try:
                await self._queue.put(text, TTL_S)
            except QueueNotFound as error:
                raise queue_deleted() from error


@asynccontextmanager
async def queue_view(settings: SimulatorSettings) -> AsyncIterator["QueueView"]:
    """Open the account's queues for reading; raises SettingsError if there is no account."""
    async with AsyncExitStack() as stack:
        account = await stack.enter_async_context(StorageAccount(settings))
        yield QueueView(account, stack)


class QueueView:
    """Counts and peeks at messages; it leases none."""

    def __init__(self, account: StorageAccount, stack: AsyncExitStack) -> None:
        self._account, self._stack = account, stack
        self._queues: dict[str, StorageQueue] = {}

    async def count(self, name: str) -> int | None:
        """Return the approximate number of messages: 0 without a queue, None after an error."""
        queue = await self._queue(name)
        try:
            return (await queue.properties()).message_count
        except QueueNotFound:
            return 0
        except (QueueUnavailable, QueueDenied):
            return None

    async def answers(self, name: str) -> bool:
        """Return whether the queue service answers, be it with a refusal."""
        queue = await self._queue(name)
        try:
            await queue.properties()
        except QueueUnavailable:
            return False
        except (QueueNotFound, QueueDenied):
            return True
        return True

    async def service_time_ms(self, name: str) -> int | None:
        """Return the queue service's time in Unix milliseconds; None if it is not known."""
        queue = await self._queue(name)
        try:
            return (await queue.properties()).service_time_us // 1000
        except (QueueNotFound, QueueUnavailable, QueueDenied):
            return None

    async def peek(self, name: str) -> list[QueueMessage]:
        """Return the first messages that are not leased, at most 32; raises Unavailable."""
        queue = await self._queue(name)
        try:
            return await queue.peek()
        except QueueNotFound:
            return []
        except (QueueUnavailable, QueueDenied) as error:
            raise Unavailable(0, f"{name} cannot be read: {error}") from None

    async def _queue(self, name: str) -> StorageQueue:
        if name not in self._queues:
            self._queues[name] = await _opened(self._account, name, self._stack)
        return self._queues[name]
