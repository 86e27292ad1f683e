"""What every target has in common: what it takes, and how it says that it cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Unavailable(Exception):
    """Of a batch's states only `sent` were taken.

    The message says why; it is empty where the connection has said so itself.
    """

    def __init__(self, sent: int, why: str = "") -> None:
        super().__init__(why)
        self.sent = sent


class Closed(Exception):
    """Whoever read what we write has gone, and will not come back."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One state on its way: the pillow's id, and the body as the queue carries it."""

    pillow: str
    body: bytes


class Target(Protocol):
    """Where states go."""

    async def ready(self) -> None:
        """Wait until it makes sense to send."""

    async def send(self, batch: Sequence[Outgoing]) -> None:
        """Hand over a batch, each pillow's states in order; raises Unavailable or Closed."""
