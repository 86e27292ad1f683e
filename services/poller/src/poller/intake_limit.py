"""The limit of the in-flight window: no more messages than half a lease can delete. Pure.

A message has to be deleted before its lease ends, so that more messages than the queue service can
delete meanwhile would only be delivered again.
"""

import math
from typing import Final

from azure_queue.service import PAGE_SIZE

FIRST_LIMIT: Final = 2 * PAGE_SIZE
"""The limit until a request was measured: one page is received while another is published."""

MIN_LIMIT: Final = 16
"""The least limit. It keeps several deletions under way where one alone takes half a lease."""


class IntakeLimit:
    """Measures the rate of deletions, and limits the messages in flight by it.

    The rate is the number of deletions that the service answered, divided by the time during which
    a message waited for one. So it is the same measure for a service that answers one request
    after the other, many at once, or refuses what is too much. Both fade with the length of a
    lease, `lease_s`. Times are arguments, in seconds of one monotonic clock.
    Until a deletion ends, each is expected to take as long as the fastest receive did.
    """

    def __init__(self, lease_s: float, maximum: int) -> None:
        self._lease_s = lease_s
        self._maximum = maximum
        self._answered = 0.0
        self._wanted_s = 0.0
        self._since_s = 0.0
        self._is_measured = False
        self._fastest_s = math.inf
        self.messages = min(FIRST_LIMIT, maximum)
        """How many messages may be in flight."""

    @property
    def page_size(self) -> int:
        """How many messages to request at once: two pages fit in the limit."""
        return min(PAGE_SIZE, self.messages // 2)

    def record_receive(self, took_s: float) -> None:
        """Record a page that was received."""
        if not self._is_measured:
            self._fastest_s = min(self._fastest_s, took_s)
            self._set(1.0, self._fastest_s)

    def begin(self, now_s: float) -> None:
        """Record that a message waits for its deletion, when none did before."""
        self._since_s = now_s

    def record(self, now_s: float, *, answered: bool) -> None:
        """Record the end of a deletion: whether the service answered that it did it."""
        self._is_measured = True
        passed_s = max(0.0, now_s - self._since_s)
        self._since_s = now_s
        share = math.exp(-passed_s / self._lease_s)
        self._wanted_s = self._wanted_s * share + passed_s
        self._answered = self._answered * share + answered
        self._set(self._answered, self._wanted_s)

    def _set(self, deletions: float, in_s: float) -> None:
        allowed = deletions * self._lease_s / 2
        if allowed >= self._maximum * in_s:
            self.messages = self._maximum
        else:
            self.messages = max(MIN_LIMIT, int(allowed / in_s))
