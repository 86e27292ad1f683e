"""The adapter of the PoisonQueue port to Azure Queue Storage."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from azure_queue.errors import (
    MessageNotFound,
    PopReceiptMismatch,
    QueueNotFound,
    queue_not_found,
)
from azure_queue.service import NEVER_EXPIRES, PAGE_SIZE
from azure_queue.storage_queue import StorageQueue
from azure_queue.xml_codec import QueueMessage
from poller.queues import DeadLetter, DeleteResult, QueueStats


class AzurePoisonQueue:
    """The poison queue, and the state queue that a replay writes to.

    It creates neither, because a wrong name would make a queue that no poller reads.
    """

    def __init__(self, states: StorageQueue, poison: StorageQueue) -> None:
        self._states = states
        self._poison = poison

    async def stats(self) -> QueueStats | None:
        try:
            properties = await self._poison.properties()
        except QueueNotFound:
            return None
        return QueueStats(properties.message_count, properties.service_time_us)

    async def peek(self) -> list[DeadLetter]:
        with _must_exist(self._poison, "POISON_QUEUE_NAME"):
            return [_to_letter(message, 0.0) for message in await self._poison.peek()]

    async def receive(self, lease_s: int) -> list[DeadLetter]:
        # From before the request, because the lease begins somewhere on its way.
        leased_until = asyncio.get_running_loop().time() + lease_s
        with _must_exist(self._poison, "POISON_QUEUE_NAME"):
            page, _ = await self._poison.receive(PAGE_SIZE, lease_s)
        return [_to_letter(message, leased_until) for message in page]

    async def release(self, letter: DeadLetter) -> None:
        with suppress(MessageNotFound, PopReceiptMismatch, QueueNotFound):
            await self._poison.update_visibility(letter.id, letter.pop_receipt, 0)

    async def requeue(self, letter: DeadLetter) -> None:
        # Without expiry, because it must not vanish when no poller runs for a week.
        with _must_exist(self._states, "QUEUE_NAME"):
            await self._states.put(letter.text, NEVER_EXPIRES)

    async def delete(self, letter: DeadLetter) -> DeleteResult:
        try:
            await self._poison.delete(letter.id, letter.pop_receipt)
        except (MessageNotFound, QueueNotFound):
            return DeleteResult.GONE
        except PopReceiptMismatch:
            return DeleteResult.LEASE_LOST
        return DeleteResult.DELETED


@contextmanager
def _must_exist(queue: StorageQueue, setting: str) -> Iterator[None]:
    try:
        yield
    except QueueNotFound as error:
        raise queue_not_found(queue.name, setting) from error


def _to_letter(message: QueueMessage, leased_until: float) -> DeadLetter:
    return DeadLetter(
        message.id,
        message.inserted_us,
        message.dequeue_count,
        message.text,
        message.pop_receipt,
        leased_until,
    )
