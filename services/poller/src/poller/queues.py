"""The queue as the worker sees it: what it can do, and how it can fail."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from poller.consume.classify import Body
from poller.settle.dead_letters import Letter, Survey


class QueueUnavailable(Exception):
    """The queue did not answer, or said that it cannot right now; asking again may help.

    `wait_s` is how long it wants to be left alone, 0 where it does not say.
    """

    def __init__(self, why: str, *, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class QueueDenied(Exception):
    """The queue said no; the message says which setting to look at."""


class Finish(Enum):
    """How the deletion of a message ended."""

    DELETED = "deleted"
    GONE = "gone"
    """It was deleted before, or its time was up."""
    LEASE_LOST = "lease-lost"
    """Somebody has received it since: it will be decided again there."""


@dataclass(slots=True, eq=False)
class Received:
    """One delivery of one message. `receipt` changes whenever the lease is renewed.

    `waited_s` is how long it had been queued when it was received, by the queue's own clock.
    """

    id: str
    receipt: str
    body: Body
    leased_until: float = 0.0
    waited_s: float = 0.0


class Queue(Protocol):
    """A queue of states and the poison queue beside it.

    Every method raises QueueUnavailable or QueueDenied.
    """

    async def receive(self, limit: int) -> list[Received]:
        """Return up to `limit` messages, 1 to 32, each hidden from others until its lease ends."""

    async def delete(self, message: Received) -> Finish:
        """Delete a message for good."""

    async def renew(self, message: Received) -> bool:
        """Prolong a lease by its whole length; False when somebody else has the message.

        That of a message which is not in the queue any more lasts for ever.
        """

    async def release(self, message: Received, hidden_s: int = 0) -> None:
        """Make a message visible to everyone, at once or after so many seconds."""

    async def depth(self) -> int:
        """Return about how many messages there are, those that somebody has received included."""

    async def put_poison(self, message: Received) -> str | None:
        """Copy a message to the poison queue, word for word and for ever.

        Returns the copy's id, where the queue tells it.
        """


class PoisonQueue(Protocol):
    """The poison queue as people's tools see it: nothing is lost by looking.

    Every method raises QueueUnavailable or QueueDenied.
    """

    async def survey(self) -> Survey | None:
        """Return how many letters there are; None when there is no poison queue."""

    async def peek(self) -> list[Letter]:
        """Return the first letters that nobody has received, at most 32, and hide none."""

    async def receive(self, lease_s: int) -> list[Letter]:
        """Return up to 32 letters, each hidden from others for so long."""

    async def release(self, letter: Letter) -> None:
        """Make a letter visible to everyone at once."""

    async def put_back(self, letter: Letter) -> None:
        """Copy a letter to the state queue, word for word and for ever."""

    async def delete(self, letter: Letter) -> Finish:
        """Delete a letter from the poison queue for good."""
