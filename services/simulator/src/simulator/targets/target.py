"""What every target has in common: what it takes, and how it says that it cannot."""

from collections.abc import Sequence
from typing import Protocol

from simulator.stream.faults import Item


class Unavailable(Exception):
    """Of a batch's messages only `sent` were taken.

    The message says why; it is empty where the connection has said so itself.
    """

    def __init__(self, sent: int, why: str = "") -> None:
        super().__init__(why)
        self.sent = sent


class Closed(Exception):
    """Whoever read what we write has gone, and will not come back."""


class Target(Protocol):
    """Where messages go.

    `unsaid` counts messages that were handed over and then replaced by newer ones, because their
    pillow had no connection.
    """

    unsaid: int

    async def ready(self) -> None:
        """Wait until it makes sense to send."""

    async def send(self, batch: Sequence[Item]) -> None:
        """Hand over messages, each pillow's in order, and wait until they are taken.

        Raises Unavailable or Closed.
        """

    def network(self, pillow: str, *, up: bool) -> None:
        """Let a pillow's network go away without a word, or come back."""
