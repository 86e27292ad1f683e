"""The ports of the two queues: their operations, results and errors. Pure."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from poller.settle.dead_letters import Letter, Survey
from runtime.backoff import Backoff

RETRY_BACKOFF: Final = Backoff(first=0.5, most=30)
"""The delay before a failed queue operation is repeated, in seconds."""


class QueueUnavailable(Exception):
    """The queue service gave no answer or a temporary error; a retry may succeed.

    `retry_after_s` is the value of its Retry-After header, 0 without one.
    """

    def __init__(self, why: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class QueueDenied(Exception):
    """The queue service refused the request; the message names the setting to check."""


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

    async def put_poison(self, message: ReceivedMessage) -> str | None:
        """Copy a message to the poison queue, byte for byte and without expiry.

        Returns the id of the copy, where the service reports it.
        """


class PoisonQueue(Protocol):
    """The poison queue as the dead-letter commands use it.

    Every method raises QueueUnavailable or QueueDenied.
    """

    async def survey(self) -> Survey | None:
        """Return the number of letters; None when the poison queue does not exist."""

    async def peek(self) -> list[Letter]:
        """Return the first letters that are not leased, at most 32, without leasing them."""

    async def receive(self, lease_s: int) -> list[Letter]:
        """Return up to 32 letters, each leased for `lease_s` seconds."""

    async def release(self, letter: Letter) -> None:
        """End a lease: the letter becomes visible at once."""

    async def put_back(self, letter: Letter) -> None:
        """Copy a letter to the state queue, byte for byte and without expiry."""

    async def delete(self, letter: Letter) -> DeleteResult:
        """Delete a letter from the poison queue for good."""
