"""Queue view: what waits on the queue and in the poison queue, without taking anything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from azure_queue.errors import QueueNotFound
from azure_queue.settings import QueueSettings

if TYPE_CHECKING:
    from azure_queue.storage_queue import StorageQueue
    from azure_queue.xml_codec import QueueMessage


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One queue: how many messages it has, and the first that are visible, at most 32.

    `count` is None where there is no such queue. `now_us` is the service's time, to a second.
    """

    count: int | None
    now_us: int = 0
    messages: "tuple[QueueMessage, ...]" = ()

    def age_s(self, message: "QueueMessage") -> float:
        """Return how long a message has been on the queue, in seconds."""
        return max(0.0, (self.now_us - message.inserted_us) / 1e6)


@asynccontextmanager
async def opened(settings: QueueSettings) -> "AsyncIterator[tuple[StorageQueue, StorageQueue]]":
    """Open the state queue and the poison queue; neither is created. Raises QueueDenied."""
    # Imported here, because the SDK takes a second to import, which help does not need; and first
    # in a thread, so that what else is checked goes on meanwhile.
    await asyncio.to_thread(import_module, "azure_queue.account")
    from azure_queue.account import StorageAccount

    async with AsyncExitStack() as stack:
        account = await stack.enter_async_context(StorageAccount(settings))
        states, poison = account.queue(settings.queue), account.queue(settings.poison_queue)
        yield await stack.enter_async_context(states), await stack.enter_async_context(poison)


async def read_page(queue: "StorageQueue") -> QueuePage:
    """Return a page of a queue; raises QueueUnavailable or QueueDenied."""
    try:
        properties = await queue.properties()
        messages = await queue.peek() if properties.message_count else []
    except QueueNotFound:
        return QueuePage(None)
    return QueuePage(properties.message_count, properties.service_time_us, tuple(messages))
