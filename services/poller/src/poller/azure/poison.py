"""The poison queue for people's tools."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from azure.storage.queue import QueueMessage

from poller.azure.errors import LeaseLost, MessageGone, QueueGone
from poller.azure.sdk import Account, not_made, our_errors
from poller.queues import DeleteResult
from poller.settle.dead_letters import PAGE, Letter, Survey

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER: Final = -1
"""How long a dead letter is kept, and what is replayed."""


class AzurePoisonQueue:
    """The poison queue, and the state queue that letters go back to; neither is made here.

    A wrong name would otherwise make a queue that no poller reads, and fill it.
    """

    def __init__(self, account: Account) -> None:
        self._states = account.states
        self._poison = account.poison
        self._state_requests = account.state_requests

    async def survey(self) -> Survey | None:
        dates: list[str] = []
        try:
            with our_errors(self._poison):
                properties = await self._poison.get_queue_properties(
                    raw_response_hook=lambda response: dates.append(
                        response.http_response.headers["Date"]
                    )
                )
        except QueueGone:
            return None
        # By the clock that also stamps the letters, in whole seconds as it does.
        now = parsedate_to_datetime(dates[-1])
        return Survey(properties.approximate_message_count or 0, _microseconds(now))

    async def peek(self) -> list[Letter]:
        with not_made(self._poison, "POISON_QUEUE_NAME"), our_errors(self._poison):
            return [_letter(one, 0.0) for one in await self._poison.peek_messages(PAGE)]

    async def receive(self, lease_s: int) -> list[Letter]:
        asked = asyncio.get_running_loop().time()
        with not_made(self._poison, "POISON_QUEUE_NAME"), our_errors(self._poison):
            pages = self._poison.receive_messages(
                messages_per_page=PAGE, visibility_timeout=lease_s
            ).by_page()
            page = await anext(pages, None)
            if page is None:
                return []
            return [_letter(one, asked + lease_s) async for one in page]

    async def release(self, letter: Letter) -> None:
        with suppress(MessageGone, LeaseLost, QueueGone), our_errors(self._poison):
            await self._poison.update_message(letter.id, letter.receipt, visibility_timeout=0)

    async def put_back(self, letter: Letter) -> None:
        # For ever, as it was kept: it must not vanish because no poller came within a week.
        with not_made(self._states, "QUEUE_NAME"), our_errors(self._states):
            await self._state_requests.put(letter.text, FOREVER)

    async def delete(self, letter: Letter) -> DeleteResult:
        try:
            with our_errors(self._poison):
                await self._poison.delete_message(letter.id, letter.receipt)
        except (MessageGone, QueueGone):
            return DeleteResult.GONE
        except LeaseLost:
            return DeleteResult.LEASE_LOST
        return DeleteResult.DELETED


def _letter(message: QueueMessage, leased_until: float) -> Letter:
    return Letter(
        message.id,
        _microseconds(message.inserted_on or datetime.now(UTC)),
        message.dequeue_count or 0,
        message.content,
        message.pop_receipt or "",
        leased_until,
    )


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
