"""The adapter of the Queue port to Azure Queue Storage."""

import asyncio
import math
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Final, Self

from azure_queue.account import StorageAccount
from azure_queue.errors import (
    MessageNotFound,
    PopReceiptMismatch,
    QueueDenied,
    QueueNotFound,
    QueueUnavailable,
    queue_deleted,
    queue_missing,
)
from azure_queue.service import NEVER_EXPIRES
from azure_queue.storage_queue import StorageQueue
from poller.azure.poison_queue import AzurePoisonQueue
from poller.queue_time import QueueTime
from poller.queues import Body, DeleteResult, ReceivedMessage
from poller.settings import PollerSettings

OnRequest = Callable[[str, str], None]
"""Called after each request to the service with its operation and its outcome."""


class AzureQueue:
    """The state queue and the poison queue of one storage account; missing ones are created."""

    def __init__(
        self,
        settings: PollerSettings,
        on_request: OnRequest = lambda _operation, _outcome: None,
        queue_time: QueueTime | None = None,
    ) -> None:
        """Build the clients; nothing is sent. Raises QueueDenied if they cannot be built.

        `queue_time` is told what each page says about the queue's clock.
        """
        self._account = StorageAccount(settings)
        self._states = self._account.queue(settings.queue)
        self._poison = self._account.queue(settings.poison_queue)
        self._visibility_s = settings.visibility_timeout
        self._on_request = on_request
        self._queue_time = queue_time or QueueTime()
        self._exit_stack = AsyncExitStack()
        self._missing = {self._states, self._poison}
        """The queues that may have to be created."""
        self._denied: set[StorageQueue] = set()
        """Those that the credential may not create."""
        self._was_poison_tried = False

    @property
    def account(self) -> str:
        """The name of the storage account."""
        return self._states.account

    async def __aenter__(self) -> Self:
        for resource in (self._account, self._states, self._poison):
            await self._exit_stack.enter_async_context(resource)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._exit_stack.aclose()

    async def receive(self, limit: int) -> list[ReceivedMessage]:
        await self._create(self._states)
        if not self._was_poison_tried:
            # Before it is needed; but nothing that can be read waits for it.
            self._was_poison_tried = True
            with suppress(QueueUnavailable):
                await self._create(self._poison)
        # From before the request, because the lease begins somewhere on its way.
        leased_until = asyncio.get_running_loop().time() + self._visibility_s
        with self._reported("receive"):
            page, time = await self._states.receive(limit, self._visibility_s)
        self._queue_time.observe(time)
        # Without the queue's time nothing is known about how long a message has waited.
        now_ms = self._queue_time.now_ms() if self._queue_time.is_known else 0
        return [
            ReceivedMessage(
                message.id,
                message.pop_receipt,
                Body(message.text, message.inserted_us, message.dequeue_count),
                leased_until,
                max(0.0, now_ms / 1000 - message.inserted_us / 1e6),
            )
            for message in page
        ]

    async def delete(self, message: ReceivedMessage) -> DeleteResult:
        try:
            with self._reported("delete"):
                await self._states.delete(message.id, message.pop_receipt)
        except MessageNotFound:
            return DeleteResult.GONE
        except PopReceiptMismatch:
            return DeleteResult.LEASE_LOST
        return DeleteResult.DELETED

    async def renew(self, message: ReceivedMessage) -> bool:
        started = asyncio.get_running_loop().time()
        try:
            with self._reported("renew"):
                message.pop_receipt = await self._states.update_visibility(
                    message.id, message.pop_receipt, self._visibility_s
                )
        except PopReceiptMismatch:
            return False
        except MessageNotFound:
            # It was deleted or has expired, so no other consumer can receive it.
            message.leased_until = math.inf
            return True
        message.leased_until = started + self._visibility_s
        return True

    async def release(self, message: ReceivedMessage, hidden_s: int = 0) -> None:
        # Without a lease, or without the message, there is nothing to release.
        with suppress(MessageNotFound, PopReceiptMismatch), self._reported("release"):
            await self._states.update_visibility(message.id, message.pop_receipt, hidden_s)

    async def put_poison(self, message: ReceivedMessage) -> str | None:
        await self._create(self._poison)
        with self._reported("keep a dead letter", self._poison):
            return await self._poison.put(message.body.text, NEVER_EXPIRES)

    async def depth(self) -> int:
        with self._reported("measure"):
            return (await self._states.properties()).message_count

    async def poison_depth(self) -> int:
        with self._reported("measure", self._poison):
            return (await self._poison.properties()).message_count

    def dead_letters(self) -> AzurePoisonQueue:
        """Return the port of the dead-letter commands; it works while this one is open."""
        return AzurePoisonQueue(self._states, self._poison)

    async def _create(self, queue: StorageQueue) -> None:
        """Create a queue that may be missing.

        A credential without the right to create queues can use existing ones; the first request
        that follows reports what is wrong, if anything.
        """
        if queue not in self._missing:
            return
        try:
            with self._reported("create", queue):
                await queue.create()
        except QueueDenied:
            self._denied.add(queue)
        else:
            self._denied.discard(queue)
        self._missing.discard(queue)

    def _reported(self, operation: str, queue: StorageQueue | None = None) -> "_ReportedRequest":
        on_missing = partial(self._missing_error, queue or self._states)
        return _ReportedRequest(operation, self._on_request, on_missing)

    def _missing_error(self, queue: StorageQueue) -> Exception:
        """Return what to raise for a queue that is not there; it is created before its next use."""
        self._missing.add(queue)
        if queue not in self._denied:
            return queue_deleted()
        return queue_missing(
            queue.name, "POISON_QUEUE_NAME" if queue is self._poison else "QUEUE_NAME"
        )


_OUTCOMES: Final[dict[type[BaseException], str]] = {
    MessageNotFound: "gone",
    PopReceiptMismatch: "lease-lost",
    QueueNotFound: "unavailable",
    QueueUnavailable: "unavailable",
    QueueDenied: "denied",
}


class _ReportedRequest:
    """Reports how a request ended, and raises another error for a queue that does not exist.

    A class, because each message passes it twice and a generator costs several times as much.
    """

    __slots__ = ("_missing_error", "_on_request", "_operation")

    def __init__(
        self, operation: str, on_request: OnRequest, missing_error: Callable[[], Exception]
    ) -> None:
        self._operation = operation
        self._on_request = on_request
        self._missing_error = missing_error

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            self._on_request(self._operation, "done")
            return
        self._on_request(self._operation, _OUTCOMES.get(type(error), "given-up"))
        if isinstance(error, QueueNotFound):
            raise self._missing_error() from error
