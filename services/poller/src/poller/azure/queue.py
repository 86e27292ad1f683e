"""The state queue and its poison queue, as the worker uses them."""

import asyncio
import math
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Final, Self

from azure.core.exceptions import ResourceExistsError

from poller.azure.errors import LeaseLost, MessageGone, QueueGone
from poller.azure.poison import FOREVER, AzurePoisonQueue
from poller.azure.sdk import Account, account, our_error
from poller.queues import Body, DeleteResult, QueueDenied, QueueUnavailable, ReceivedMessage
from poller.settings import PollerSettings


class AzureQueue:
    """Both queues of one storage account; they are made when they are missing.

    `on_request` is told of each request to the service: what it was, and how it ended.
    """

    def __init__(
        self,
        account: Account,
        *,
        visibility_s: int,
        on_request: Callable[[str, str], None] = lambda _act, _outcome: None,
    ) -> None:
        self._account = account
        self._states = account.states
        self._poison = account.poison
        self._requests = account.state_requests
        self._poison_requests = account.poison_requests
        self._visibility_s = visibility_s
        self._on_request = on_request
        self._open = AsyncExitStack()
        self._made = False

    @classmethod
    def from_settings(
        cls,
        settings: PollerSettings,
        on_request: Callable[[str, str], None] = lambda _act, _outcome: None,
    ) -> Self:
        """Build the clients; nothing is sent. Raises QueueDenied when they cannot be built."""
        return cls(
            account(settings), visibility_s=settings.visibility_timeout, on_request=on_request
        )

    async def __aenter__(self) -> Self:
        # Closed in the other order: the identity last.
        if self._account.identity is not None:
            await self._open.enter_async_context(self._account.identity)
        for client in (self._states, self._poison, self._requests, self._poison_requests):
            await self._open.enter_async_context(client)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._open.aclose()

    async def receive(self, limit: int) -> list[ReceivedMessage]:
        if not self._made:
            await self._make()
        # Counted from before the request: the lease begins somewhere on its way.
        until = asyncio.get_running_loop().time() + self._visibility_s
        with self._request("receive"):
            page, now_us = await self._requests.receive(limit, self._visibility_s)
        return [
            ReceivedMessage(
                one.id,
                one.receipt,
                Body(one.text, one.queued_us, one.attempts),
                until,
                max(0.0, (now_us - one.queued_us) / 1e6) if now_us is not None else 0.0,
            )
            for one in page
        ]

    async def delete(self, message: ReceivedMessage) -> DeleteResult:
        try:
            with self._request("delete"):
                await self._requests.delete(message.id, message.pop_receipt)
        except MessageGone:
            return DeleteResult.GONE
        except LeaseLost:
            return DeleteResult.LEASE_LOST
        return DeleteResult.DELETED

    async def renew(self, message: ReceivedMessage) -> bool:
        asked = asyncio.get_running_loop().time()
        try:
            with self._request("renew"):
                renewed = await self._states.update_message(
                    message.id, message.pop_receipt, visibility_timeout=self._visibility_s
                )
        except LeaseLost:
            return False
        except MessageGone:
            # Its time was up, or somebody has ended it: nobody else gets it now, and it is here.
            message.leased_until = math.inf
            return True
        message.pop_receipt = renewed.pop_receipt or message.pop_receipt
        message.leased_until = asked + self._visibility_s
        return True

    async def release(self, message: ReceivedMessage, hidden_s: int = 0) -> None:
        # Where it is gone or somebody else's already, that is all that was wanted.
        with suppress(MessageGone, LeaseLost), self._request("release"):
            await self._states.update_message(
                message.id, message.pop_receipt, visibility_timeout=hidden_s
            )

    async def put_poison(self, message: ReceivedMessage) -> str | None:
        if not self._made:
            await self._make()
        with self._request("put_poison"):
            return await self._poison_requests.put(message.body.text, FOREVER)

    async def depth(self) -> int:
        with self._request("depth"):
            properties = await self._states.get_queue_properties()
        return properties.approximate_message_count or 0

    async def _make(self) -> None:
        for client in (self._states, self._poison):
            # Who may not make queues may use those that somebody else has made: the first use
            # says what is wrong, if anything.
            with suppress(QueueDenied), self._request("make"), suppress(ResourceExistsError):
                await client.create_queue()
        self._made = True

    def dead_letters(self) -> AzurePoisonQueue:
        """Return the poison queue for people's tools; it works while this one is open."""
        return AzurePoisonQueue(self._account)

    def _request(self, act: str) -> "_Request":
        return _Request(self, act)


_OUTCOMES: Final[dict[type[BaseException], str]] = {
    MessageGone: "gone",
    LeaseLost: "lease-lost",
    QueueGone: "unavailable",
    QueueUnavailable: "unavailable",
    QueueDenied: "denied",
}


class _Request:
    """A request to the service: tells how it ended, and raises our exceptions for the SDK's.

    A class, because it is passed twice for every message, and a generator costs several times as
    much.
    """

    __slots__ = ("_act", "_queue")

    def __init__(self, queue: AzureQueue, act: str) -> None:
        self._queue = queue
        self._act = act

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            self._queue._on_request(self._act, "done")
            return
        ours = our_error(self._queue._states, error)
        self._queue._on_request(self._act, _OUTCOMES.get(type(ours), "given-up"))
        if isinstance(ours, QueueGone):
            self._queue._made = False
            raise QueueUnavailable(
                "the queue is gone; it is made again (see QUEUE_NAME, POISON_QUEUE_NAME)"
            ) from error
        if ours is not error:
            raise ours from error
