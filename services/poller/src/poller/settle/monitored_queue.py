"""The queue with its health: every operation records its success or failure."""

from collections.abc import Awaitable
from typing import TypeVar

from poller.queues import DeleteResult, Queue, QueueDenied, QueueUnavailable, ReceivedMessage
from poller.settle.queue_health import QueueHealth

T = TypeVar("T")


class MonitoredQueue:
    """The operations of a Queue, with the same results and errors."""

    def __init__(self, queue: Queue, health: QueueHealth) -> None:
        self._queue = queue
        self._health = health

    async def receive(self, limit: int) -> list[ReceivedMessage]:
        """Receive up to `limit` messages."""
        return await self._record("receive", self._queue.receive(limit))

    async def delete(self, message: ReceivedMessage) -> DeleteResult:
        """Delete a message."""
        return await self._record("delete", self._queue.delete(message), message.id)

    async def renew(self, message: ReceivedMessage) -> bool:
        """Extend a lease; returns False when another consumer has the message."""
        return await self._record("renew", self._queue.renew(message), message.id)

    async def release(self, message: ReceivedMessage, hidden_s: int) -> None:
        """End a lease; the message becomes visible after `hidden_s` seconds."""
        await self._record("release", self._queue.release(message, hidden_s), message.id)

    async def put_poison(self, message: ReceivedMessage) -> str | None:
        """Copy a message to the poison queue; returns the id of the copy, if it is known."""
        copying = self._queue.put_poison(message)
        return await self._record("keep a dead letter", copying, message.id)

    async def wait_retry_after(self) -> None:
        """Wait for as long as the queue asked its clients to wait."""
        await self._health.wait_retry_after()

    def forget(self, message_id: str) -> None:
        """Forget the failures that only a message had which is no longer in flight."""
        self._health.forget(message_id)

    async def _record(self, operation: str, result: Awaitable[T], message_id: str = "") -> T:
        try:
            value = await result
        except (QueueUnavailable, QueueDenied) as error:
            self._health.record_failure(operation, error, message_id)
            raise
        self._health.record_success(operation, message_id)
        return value
