"""The queue with its health: every operation records its success or failure."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from poller.queues import DeleteResult, Queue, QueueDenied, QueueUnavailable, ReceivedMessage
from poller.settle.queue_health import QueueHealth

T = TypeVar("T")


class MonitoredQueue:
    """The operations of a Queue, with the same results and errors.

    The methods are plain functions that return a coroutine, which saves a frame for each message.
    """

    def __init__(self, queue: Queue, health: QueueHealth) -> None:
        self._queue = queue
        self._health = health

    def receive(self, limit: int) -> Coroutine[Any, Any, list[ReceivedMessage]]:
        """Receive up to `limit` messages."""
        return self._record("receive", lambda: self._queue.receive(limit))

    def delete(self, message: ReceivedMessage) -> Coroutine[Any, Any, DeleteResult]:
        """Delete a message."""
        return self._record("delete", lambda: self._queue.delete(message))

    def renew(self, message: ReceivedMessage) -> Coroutine[Any, Any, bool]:
        """Extend a lease; returns False when another consumer has the message."""
        return self._record("renew", lambda: self._queue.renew(message))

    def release(self, message: ReceivedMessage, hidden_s: int) -> Coroutine[Any, Any, None]:
        """End a lease; the message becomes visible after `hidden_s` seconds."""
        return self._record("release", lambda: self._queue.release(message, hidden_s))

    def put_poison(self, message: ReceivedMessage) -> Coroutine[Any, Any, str | None]:
        """Copy a message to the poison queue; returns the id of the copy, if it is known."""
        return self._record("keep a dead letter", lambda: self._queue.put_poison(message))

    def wait_retry_after(self) -> Coroutine[Any, Any, None]:
        """Wait for as long as the queue asked its clients to wait."""
        return self._health.wait_retry_after()

    @property
    def paused_until(self) -> float:
        """The end of the pause that the queue asked for: a time of the event loop's clock."""
        return self._health.paused_until

    async def _record(self, operation: str, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        # A function, because a coroutine would never be awaited if this one is cancelled at once.
        try:
            result = await call()
        except (QueueUnavailable, QueueDenied) as error:
            self._health.record_failure(operation, error)
            raise
        self._health.record_success(operation)
        return result
