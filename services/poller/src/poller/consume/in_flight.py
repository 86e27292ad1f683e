"""What is in hand: the messages received and not ended, and those that ended but may come again."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from poller.queues import ReceivedMessage

MAX_IN_FLIGHT: Final = 256
"""How many messages may be in hand: enough to keep the broker and all deletions busy."""

MAX_BLOCKED: Final = 128
"""How many of them may be stuck: refused by the broker, or as dead letters by the poison queue. The
rest of the window is for those that can go on."""

REMEMBERED: Final = 10_000
"""How many messages are remembered that ended without being deleted; then the oldest is forgotten,
and when it comes again it is published or buried twice, which is allowed."""


@dataclass(slots=True, eq=False)
class InFlightMessage:
    """A message in hand.

    `lost` says that somebody else has received it meanwhile, `decided` that how it ended has been
    counted and only its deletion is left, `leaving` that it is being given back.
    `troubles` are the acts on the queue that it still waits for.
    """

    message: ReceivedMessage
    polled_ms: int
    sends: int = 0
    lost: bool = False
    decided: bool = False
    leaving: bool = False
    troubles: set[str] = field(default_factory=set)
    receipt_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by who uses the receipt: a renewal makes it worthless for a deletion beside it."""


class InFlight:
    """The messages in hand, at most MAX_IN_FLIGHT with those that have been asked for."""

    def __init__(self) -> None:
        self._items: dict[str, InFlightMessage] = {}
        self._asked_for = 0
        self._changed = asyncio.Event()
        self._stuck: set[str] = set()
        self._ended: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[InFlightMessage]:
        return iter(tuple(self._items.values()))

    def of(self, message_id: str) -> InFlightMessage | None:
        """Return the message of this id that is in hand, if it is."""
        return self._items.get(message_id)

    def take(self, message: ReceivedMessage, polled_ms: int) -> InFlightMessage:
        """Take a message in hand that is not yet."""
        item = self._items[message.id] = InFlightMessage(message, polled_ms)
        return item

    def remove(self, item: InFlightMessage) -> None:
        """Let a message go."""
        self._items.pop(item.message.id, None)
        self._stuck.discard(item.message.id)
        self._changed.set()

    def mark_blocked(self, item: InFlightMessage) -> bool:
        """Take in that a message cannot end as things are; False where too many are stuck."""
        if item.message.id not in self._stuck:
            if len(self._stuck) >= MAX_BLOCKED:
                return False
            self._stuck.add(item.message.id)
        return True

    def unblock(self, item: InFlightMessage) -> None:
        """Take in that a message can end."""
        self._stuck.discard(item.message.id)

    async def reserve(self, number: int) -> None:
        """Wait until there is room for so many, and keep it for them until `free`."""
        while len(self._items) + self._asked_for + number > MAX_IN_FLIGHT:
            await self._change()
        self._asked_for += number

    def free(self, number: int) -> None:
        """Give back room that was reserved: what it was for is in hand now, or will not come."""
        self._asked_for -= number
        self._changed.set()

    async def empty(self) -> None:
        """Wait until nothing is in hand."""
        while self._items:
            await self._change()

    def remember(self, item: InFlightMessage) -> None:
        """Remember a message that ended but was not deleted: it comes again."""
        self._ended[item.message.id] = None
        self._ended.move_to_end(item.message.id)
        if len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)

    def had_ended(self, message_id: str) -> bool:
        """Say whether a message that comes ended before; it is then forgotten."""
        if message_id not in self._ended:
            return False
        del self._ended[message_id]
        return True

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
