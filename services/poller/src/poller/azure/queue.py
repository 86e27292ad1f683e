"""The adapter of the Queue port to Azure Queue Storage."""

import asyncio
import math
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Final, Self

from azure_queue.account import StorageAccount
from azure_queue.errors import (
    MessageNotFound,
    PopReceiptMismatch,
    QueueDenied,
    QueueNotFound,
    QueueUnavailable,
    queue_deleted,
)
from azure_queue.service import NEVER_EXPIRES
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
        self._are_created = False

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
        await self._create()
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
        await self._create()
        with self._reported("keep a dead letter"):
            return await self._poison.put(message.body.text, NEVER_EXPIRES)

    async def depth(self) -> int:
        with self._reported("measure"):
            return (await self._states.properties()).message_count

    async def poison_depth(self) -> int:
        with self._reported("measure"):
            return (await self._poison.properties()).message_count

    def dead_letters(self) -> AzurePoisonQueue:
        """Return the port of the dead-letter commands; it works while this one is open."""
        return AzurePoisonQueue(self._states, self._poison)

    async def _create(self) -> None:
        if self._are_created:
            return
        for queue in (self._states, self._poison):
            # A credential without the right to create queues can use existing ones; the first
            # request that follows reports what is wrong, if anything.
            with suppress(QueueDenied), self._reported("create"):
                await queue.create()
        self._are_created = True

    def _reported(self, operation: str) -> "_ReportedRequest":
        return _ReportedRequest(operation, self._on_request, self._on_queue_deleted)

    def _on_queue_deleted(self) -> None:
        self._are_created = False


_OUTCOMES: Final[dict[type[BaseException], str]] = {
    MessageNotFound: "gone",
    PopReceiptMismatch: "lease-lost",
    QueueNotFound: "unavailable",
    QueueUnavailable: "unavailable",
    QueueDenied: "denied",
}


class _ReportedRequest:
    """Reports how a request ended, and raises QueueUnavailable for a queue that was deleted.

    A class, because each message passes it twice and a generator costs several times as much.
    """

    __slots__ = ("_on_queue_deleted", "_on_request", "_operation")

    def __init__(
        self, operation: str, on_request: OnRequest, on_queue_deleted: Callable[[], None]
    ) -> None:
        self._operation = operation
        self._on_request = on_request
        self._on_queue_deleted = on_queue_deleted

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            self._on_request(self._operation, "done")
            return
        self._on_request(self._operation, _OUTCOMES.get(type(error), "given-up"))
        if isinstance(error, QueueNotFound):
            self._on_queue_deleted()
            raise queue_deleted() from error
