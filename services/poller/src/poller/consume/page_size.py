"""How many messages to request at once, after pages that the queue could not return. Pure.

A queue may hold a message that it cannot return (Azurite, and a control character): each page that
contains it fails, and its other messages come back when their leases end.
One failed page proves nothing, so that it is requested as a page again when it comes back. Each
further failure makes it smaller, down to single messages: 32, 32, 6, 1. These are few steps,
because each failed page counts as an attempt of every message in it.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from azure_queue.service import PAGE_SIZE

SIZES: Final = (PAGE_SIZE, PAGE_SIZE, 6, 1)
"""The size of a page after no failed page, one, two, and three or more."""

CLEARED_BY: Final = PAGE_SIZE
"""How many messages have to be received since a failed page came back until it is forgotten: its
messages are among them."""

MAX_SUSPECTS: Final = 64
"""Limit of failed pages that are remembered; above it the oldest is forgotten."""


@dataclass(slots=True)
class _Suspect:
    """A failed page: when its messages come back, and how often it has failed.

    `received_before` is the number of pages that had been received when it failed.
    """

    back_at_s: float
    failures: int
    received_before: int
    to_receive: int = CLEARED_BY


class PageSize:
    """The size of the next page; times are arguments, in seconds of one monotonic clock.

    `lease_s` is the length of a lease.
    """

    def __init__(self, lease_s: float) -> None:
        self._lease_s = lease_s
        self._suspects: deque[_Suspect] = deque(maxlen=MAX_SUSPECTS)
        self._received = 0

    def messages(self, now_s: float) -> int:
        """Return how many messages to request."""
        suspect = self._suspect(now_s)
        return SIZES[suspect.failures] if suspect else PAGE_SIZE

    def record_failed_page(self, now_s: float) -> None:
        """Record a page that failed, perhaps because of a message in it."""
        suspect = self._suspect(now_s)
        failures = 1
        if suspect:
            self._suspects.remove(suspect)
            failures = suspect.failures
            # Where no other page was received meanwhile, the cause is the service, not a message.
            if self._received > suspect.received_before:
                failures = min(failures + 1, len(SIZES) - 1)
        self._suspects.append(_Suspect(now_s + self._lease_s, failures, self._received))

    def record_page(self, now_s: float, messages: int) -> None:
        """Record a page that was received."""
        self._received += 1
        suspect = self._suspect(now_s)
        if suspect is None:
            return
        suspect.to_receive -= messages
        # An empty page shows that its messages are no longer there.
        if suspect.to_receive <= 0 or not messages:
            self._suspects.remove(suspect)

    def _suspect(self, now_s: float) -> _Suspect | None:
        """Return the page that failed first, if its messages are back."""
        first = self._suspects[0] if self._suspects else None
        return first if first and now_s >= first.back_at_s else None
