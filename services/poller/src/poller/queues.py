"""The ports of the two queues: their operations, results and errors. Pure."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from azure_queue.errors import QueueDenied as QueueDenied
from azure_queue.errors import QueueUnavailable as QueueUnavailable
from runtime.backoff import Backoff

RETRY_BACKOFF: Final = Backoff(first_s=0.5, max_s=30)
"""The delay before a failed queue operation is repeated, in seconds."""


class DeleteResult(Enum):
    """How the deletion of a message ended."""

    DELETED = "deleted"
    GONE = "gone"
    """The message was deleted before, or its time to live had passed."""
    LEASE_LOST = "lease-lost"
    """Another consumer has received the message since, and settles it."""


@dataclass(frozen=True, slots=True)
class Body:
    """What decides the outcome of a message.

    `queued_us` is the time of its insertion in Unix microseconds, `attempts` the number of its
    deliveries, this one included (Azure's dequeue count).
    """

    text: str
    queued_us: int
    attempts: int


@dataclass(slots=True, eq=False)
class ReceivedMessage:
    """One delivery of one message.

    `pop_receipt` is the token that deletes, renews or releases it; each renewal replaces it.
    `leased_until` is a time of the event loop's clock, in seconds.
    `waited_s` is the time between its insertion and this delivery, by the queue's own clock.
    """

    id: str
    pop_receipt: str
    body: Body
    leased_until: float = 0.0
    waited_s: float = 0.0


class Queue(Protocol):
    """The queue of states, and write access to the poison queue.

    Every method raises QueueUnavailable or QueueDenied.
    """

    async def receive(self, limit: int) -> list[ReceivedMessage]:
        """Return up to `limit` messages (1 to 32), each leased for the visibility timeout."""

    async def delete(self, message: ReceivedMessage) -> DeleteResult:
        """Delete a message for good."""

    async def renew(self, message: ReceivedMessage) -> bool:
        """Extend a lease to its full length; returns False when another consumer has the message.

        If the message no longer exists, the lease is treated as unlimited and True is returned.
        """

    async def release(self, message: ReceivedMessage, hidden_s: int = 0) -> None:
        """End a lease: the message becomes visible after `hidden_s` seconds."""

    async def depth(self) -> int:
        """Return the approximate number of messages, leased ones included."""

    async def poison_depth(self) -> int:
        """Return the approximate number of messages in the poison queue."""

    async def put_poison(self, message: ReceivedMessage) -> str | None:
        """Copy a message to the poison queue, byte for byte and without expiry.

        Returns the id of the copy, where the service reports it.
        """


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message of the poison queue.

    `inserted_us` is when it was put there, in Unix microseconds.
    `reads` counts how often it was received there; a peek does not count.
    `pop_receipt` releases or deletes it until `leased_until`, a time of the event loop's clock; it
    is empty after a peek.
    """

    id: str
    inserted_us: int
    reads: int
    text: str
    pop_receipt: str = ""
    leased_until: float = 0.0


@dataclass(frozen=True, slots=True)
class QueueStats:
    """The number of letters in the poison queue, and the queue service's time.

    `count` is never too low, and includes leased letters.
    `now_us` is in Unix microseconds.
    """

    count: int
    now_us: int


class PoisonQueue(Protocol):
    """The poison queue as the dead-letter commands use it.

    Every method raises QueueUnavailable or QueueDenied.
    """

    async def stats(self) -> QueueStats | None:
        """Return the number of letters; None when the poison queue does not exist."""

    async def peek(self) -> list[DeadLetter]:
        """Return the first letters that are not leased, at most 32, without leasing them."""

    async def receive(self, lease_s: int) -> list[DeadLetter]:
        """Return up to 32 letters, each leased for `lease_s` seconds."""

    async def release(self, letter: DeadLetter) -> None:
        """End a lease: the letter becomes visible at once."""

    async def requeue(self, letter: DeadLetter) -> None:
        """Copy a letter to the state queue, byte for byte and without expiry."""

    async def delete(self, letter: DeadLetter) -> DeleteResult:
        """Delete a letter from the poison queue for good."""
