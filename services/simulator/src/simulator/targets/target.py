"""The interface of a target, and its errors."""

from collections.abc import Sequence
from typing import Protocol

from simulator.stream.items import StreamItem


class Unavailable(Exception):
    """The target accepted only `sent` messages of a batch.

    The message is the reason. It is empty where the connection has logged the reason already.
    """

    def __init__(self, sent: int, reason: str = "") -> None:
        super().__init__(reason)
        self.sent = sent


class OutputClosed(Exception):
    """The reader of the output has closed it, and nothing more can be sent."""


class Target(Protocol):
    """Where messages are sent.

    `replaced` counts accepted messages that were superseded by a newer one before they were sent,
    because their pillow had no connection.
    """

    replaced: int

    async def wait_ready(self) -> None:
        """Wait until the target may accept messages."""

    async def send(self, batch: Sequence[StreamItem]) -> None:
        """Send messages, those of one pillow in order, and wait until they are accepted.

        Raises Unavailable or OutputClosed.
        """

    def set_network(self, pillow: str, *, up: bool) -> None:
        """Make a pillow's network available, or interrupt it without a disconnect."""
