"""The in-flight window: messages that were received and are not yet deleted or abandoned.

It also keeps the ids of messages that were settled but whose deletion failed, because the queue
delivers them again.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from poller.intake_limit import IntakeLimit
from poller.queue_age import QueueAge
from poller.queues import ReceivedMessage

MAX_IN_FLIGHT: Final = 256
"""Limit of messages in flight: enough to keep the broker and all deletions busy. Where the queue
deletes slowly, `IntakeLimit` is below it."""

MAX_BLOCKED: Final = 128
"""Limit of blocked messages, which the broker or the poison queue refuses or whose deletion fails
again and again. The rest of the window stays free for others."""

MAX_UNDELETED: Final = 10_000
"""Limit of remembered ids of settled messages whose deletion failed. Above it the oldest id is
evicted, and its message is published or dead-lettered a second time, which is allowed."""


class Outcome(StrEnum):
    """How a delivery is settled; each delivery is counted as exactly one of these."""

    PUBLISHED = "published"
    """The broker confirmed the state."""
    SUPERSEDED = "superseded"
    """The broker confirmed a newer state of the same pillow, or this one, before."""
    DEAD_LETTERED = "dead-lettered"
    """The poison queue confirmed the copy."""
    RETRIED = "retried"
    """Another delivery of the same message settles it, or settled it before."""


@dataclass(slots=True, eq=False)
class InFlightMessage:
    """A message in the window.

    `polled_ms` is the time it was received, in Unix milliseconds; `received_s` is the same moment
    by the event loop's clock, in seconds.
    `lost_sends` counts its publishes that ended with a lost connection.
    `lease_lost` is true when another consumer has received it since.
    `abandoning` is true while its lease is being ended.
    `awaits_deletion` is true when nothing but its deletion is left, `failed_deletions` counts the
    attempts.
    `settled_before` is true when an earlier delivery was settled and only the deletion failed.
    `outcome` is None until the delivery is settled and counted.
    `journaled` is done when the journal has the state that the outcome rests on; None where there
    is nothing to wait for.
    """

    delivery: ReceivedMessage
    polled_ms: int
    settled_before: bool = False
    received_s: float = 0.0
    lost_sends: int = 0
    lease_lost: bool = False
    abandoning: bool = False
    awaits_deletion: bool = False
    failed_deletions: int = 0
    outcome: Outcome | None = None
    journaled: asyncio.Future[None] | None = None
    receipt_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while the pop receipt is in use, because a renewal invalidates it for a deletion."""

    @property
    def id(self) -> str:
        """The id that the queue gave the message."""
        return self.delivery.id

    def is_expired(self, now_s: float) -> bool:
        """Return whether its lease is over at a time of the event loop's clock."""
        return self.lease_lost or now_s >= self.delivery.leased_until


class InFlight:
    """At most MAX_IN_FLIGHT messages, reserved places included.

    `visibility_s` is the length of a lease, in seconds; `clock_s` is the event loop's clock.

    Invariants, asserted at each change: the window is never exceeded, no more than MAX_BLOCKED
    messages are blocked, and every delivery that was received is either settled or in the window.
    """

    def __init__(
        self,
        clock_ms: Callable[[], int],
        visibility_s: float = 30.0,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock_ms = clock_ms
        self._clock_s = clock_s
        self.intake = IntakeLimit(visibility_s, MAX_IN_FLIGHT)
        self.queue_age = QueueAge(clock_s())
        self._messages: dict[str, InFlightMessage] = {}
        self._unsettled: set[str] = set()
        self._blocked: set[str] = set()
        self._reserved = 0
        self._received = 0
        self._settled = 0
        self._undeleted: OrderedDict[str, None] = OrderedDict()
        self._changed = asyncio.Event()
        self.progress_s = 0.0
        """When a message was settled last, or became the only unsettled one: a time of the event
        loop's clock."""

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[InFlightMessage]:
        return iter(tuple(self._messages.values()))

    @property
    def blocked(self) -> int:
        """The number of blocked messages in the window."""
        return len(self._blocked)

    @property
    def undeleted(self) -> int:
        """The number of settled messages that are remembered because their deletion failed."""
        return len(self._undeleted)

    @property
    def unsettled(self) -> int:
        """The number of messages in the window that are not settled."""
        return len(self._unsettled)

    def oldest_s(self, *, with_blocked: bool = True) -> float:
        """Return for how long the oldest unsettled message has waited, by the queue's time."""
        unsettled = self._unsettled if with_blocked else self._unsettled - self._blocked
        queued_us = (self._messages[one].delivery.body.queued_us for one in unsettled)
        return max(0.0, (self._clock_ms() - min(queued_us, default=math.inf) / 1000) / 1000)

    def get(self, message_id: str) -> InFlightMessage | None:
        """Return the message of this id, if it is in the window."""
        return self._messages.get(message_id)

    def add(self, delivery: ReceivedMessage) -> InFlightMessage:
        """Add a delivery of a message that is not in the window."""
        assert delivery.id not in self._messages, f"{delivery.id} is in flight already"
        settled_before = delivery.id in self._undeleted
        if settled_before:
            del self._undeleted[delivery.id]
        now_s = self._clock_s()
        message = InFlightMessage(delivery, self._clock_ms(), settled_before, now_s)
        self._messages[delivery.id] = message
        if not self._unsettled:
            self.progress_s = now_s
        self._unsettled.add(delivery.id)
        self._received += 1
        self._check()
        return message

    def redeliver(self, message: InFlightMessage, delivery: ReceivedMessage) -> None:
        """Replace the lease of a message that was delivered again while it was in flight.

        Its old lease had ended; only the new pop receipt deletes the message.
        The second delivery counts as retried.
        """
        # A new object, because a renewal under way writes its result into the old one.
        message.delivery = delivery
        message.lease_lost = False
        self._received += 1
        self._settled += 1

    def settle(self, message: InFlightMessage, outcome: Outcome) -> None:
        """Record the outcome of a message, exactly once; it can then be deleted or removed."""
        assert message.outcome is None, f"{message.id} is {message.outcome} already, now {outcome}"
        message.outcome = outcome
        self._unsettled.remove(message.delivery.id)
        self._settled += 1
        self.progress_s = self._clock_s()
        self._check()

    def remove(self, message: InFlightMessage) -> None:
        """Remove a settled message from the window."""
        assert message.outcome is not None, f"{message.id} leaves the window unsettled"
        del self._messages[message.delivery.id]
        self._blocked.discard(message.delivery.id)
        self._changed.set()

    def mark_blocked(self, message: InFlightMessage) -> bool:
        """Mark a message as blocked; returns False when MAX_BLOCKED others are."""
        if message.id not in self._blocked:
            if len(self._blocked) >= MAX_BLOCKED:
                return False
            self._blocked.add(message.id)
            self._changed.set()  # it leaves its place in the intake limit
        return True

    def unblock(self, message: InFlightMessage) -> None:
        """Remove the mark of `mark_blocked`, if there is one."""
        self._blocked.discard(message.delivery.id)

    async def reserve_page(self) -> int:
        """Wait until a page fits, and reserve its places until `unreserve`; returns their number.

        Blocked messages do not count against the intake limit, because no deletion waits for them.
        """
        while True:
            number = self.intake.page_size
            taken = len(self._messages) + self._reserved + number
            if taken <= MAX_IN_FLIGHT and taken - len(self._blocked) <= self.intake.messages:
                break
            await self._change()
        self._reserved += number
        self._check()
        return number

    def unreserve(self, number: int) -> None:
        """Free reserved places, right before messages take them or when none arrive."""
        self._reserved -= number
        assert self._reserved >= 0, "more places are freed than were reserved"
        self._changed.set()

    def remember_undeleted(self, message: InFlightMessage) -> None:
        """Remember that a settled message was not deleted, so its next delivery only deletes it."""
        self._undeleted[message.id] = None
        self._undeleted.move_to_end(message.id)
        if len(self._undeleted) > MAX_UNDELETED:
            self._undeleted.popitem(last=False)

    def _check(self) -> None:
        assert len(self._messages) + self._reserved <= MAX_IN_FLIGHT, "the window is exceeded"
        assert self._received == self._settled + len(self._unsettled), "a delivery is not counted"

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
