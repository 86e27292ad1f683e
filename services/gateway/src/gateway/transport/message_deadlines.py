"""Message deadlines: which clients have begun a WebSocket message and not completed it. Pure.

An incomplete message holds up to 64 KiB, and the library's protocol object.
"""

from collections.abc import Iterator
from typing import Protocol


class Sender(Protocol):
    """A client that sends messages."""

    @property
    def has_unprocessed_input(self) -> bool:
        """Whether data that it sent waits for its turn."""

    def end_overdue_message(self) -> None:
        """Close it, because it has not completed a message in time."""


class MessageDeadlines:
    """Clients with an incomplete message, since when, the oldest first. Times are monotonic."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._since_s: dict[Sender, float] = {}

    def __len__(self) -> int:
        return len(self._since_s)

    def start(self, client: Sender, now_s: float) -> None:
        """Start the time of a message; without effect while an earlier part of it is known."""
        self._since_s.setdefault(client, now_s)

    def end(self, client: Sender) -> None:
        """End the time of a message that is complete, or whose client leaves."""
        self._since_s.pop(client, None)

    def pop_overdue(self, now_s: float) -> Iterator[Sender]:
        """Remove and yield the clients whose message is overdue.

        One whose data waits here has sent what it could; its time begins again.
        """
        while self._since_s:
            client, since_s = next(iter(self._since_s.items()))
            if now_s - since_s < self._limit_s:
                return
            del self._since_s[client]
            if client.has_unprocessed_input:
                self._since_s[client] = now_s
            else:
                yield client
