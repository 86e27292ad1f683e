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


@dataclass(slots=True, eq=False)
class _Suspect:
    """A failed page: when its messages come back, and how often it has failed.

    The leases of its messages began somewhere between its request and its failure, so that they end
    between `back_from_s` and `back_by_s`. `received_before` is the number of pages that had been
    received when it failed.
    """

    back_from_s: float
    back_by_s: float
    failures: int
    received_before: int
    to_receive: int = CLEARED_BY


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request of a page of up to `messages`, and the failed page whose messages may be in it."""

    messages: int
    began_s: float
    suspect: _Suspect | None


class PageSize:
    """The size of the next page; times are arguments, in seconds of one monotonic clock.

    `lease_s` is the length of a lease.
    """

    def __init__(self, lease_s: float) -> None:
        self._lease_s = lease_s
        self._suspects: deque[_Suspect] = deque(maxlen=MAX_SUSPECTS)
        self._received = 0

    def request(self, now_s: float) -> PageRequest:
        """Return how many messages to request now."""
        suspect = self._suspect(now_s)
        return PageRequest(SIZES[suspect.failures] if suspect else PAGE_SIZE, now_s, suspect)

    def record_failed_page(self, request: PageRequest, now_s: float) -> None:
        """Record a page that failed, perhaps because of a message in it."""
        # The messages may have come back while the request was on its way.
        suspect = request.suspect or self._suspect(now_s)
        failures = 1
        if suspect:
            self._forget(suspect)
            failures = suspect.failures
            # Where no other page was received meanwhile, the cause is the service, not a message.
            if self._received > suspect.received_before:
                failures = min(failures + 1, len(SIZES) - 1)
        back_from_s, back_by_s = request.began_s + self._lease_s, now_s + self._lease_s
        self._suspects.append(_Suspect(back_from_s, back_by_s, failures, self._received))

    def record_page(self, request: PageRequest, messages: int) -> None:
        """Record a page that was received."""
        self._received += 1
        suspect = request.suspect
        # Before all its messages are back, a page proves nothing about them.
        if suspect is None or request.began_s < suspect.back_by_s:
            return
        suspect.to_receive -= messages
        # An empty page shows that its messages are no longer there.
        if suspect.to_receive <= 0 or not messages:
            self._forget(suspect)

    def _suspect(self, now_s: float) -> _Suspect | None:
        """Return the page that failed first, if its messages may be back."""
        first = self._suspects[0] if self._suspects else None
        return first if first and now_s >= first.back_from_s else None

    def _forget(self, suspect: _Suspect) -> None:
        # A request beside this one may have forgotten it already.
        if suspect in self._suspects:
            self._suspects.remove(suspect)
