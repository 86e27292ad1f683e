"""The order of pages: which states leave now, and which wait for another page. Pure.

The queue returns its oldest messages first, in the order in which it serves the requests. Of two
requests under way at once it may serve the later one first, and its answers come in any order, so
that a page may hold newer states than one that comes after it.
But a request that is sent after a page was answered was served after it. A page therefore waits
for the requests that were under way when it was answered, and for no other. When it leaves, the
older states of its pillows leave with it, whichever pages they came with.
So each pillow's states leave in order, if they were put on the queue in order.
"""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from contract.messages import ParsedMessage

T = TypeVar("T")
"""What belongs to a state: its message."""

MIN_PATIENCE_S: Final = 2.0
"""For how long a page waits at least for a request that gets no answer, in seconds."""

MAX_PATIENCE_S: Final = 10.0
"""For how long a page waits at most, in seconds. A request without an answer fails after as long,
or twice as long if it is sent again."""

PATIENCE_FACTOR: Final = 4.0
"""How many times longer than the mean a request may take, between the two."""

_WEIGHT: Final = 1 / 16
"""The weight of an answer in the mean duration."""


@dataclass(slots=True, eq=False)
class _Page(Generic[T]):
    """A page that waits.

    `request` is its own number, `last_request` the last one that was sent before its answer.
    """

    request: int
    last_request: int
    states: list[tuple[T, ParsedMessage]]
    deadline_s: float


class PageOrder(Generic[T]):
    """Receives the answers of requests, and returns the states that leave, oldest first.

    Invariants: a page waits only while a request is under way that was sent before its answer,
    and no longer than MAX_PATIENCE_S if `give_up` is called at `deadline_s`.
    """

    def __init__(self) -> None:
        self._last_request = 0
        self._sent_s: dict[int, float] = {}
        """The requests that pages wait for, in the order in which they were sent."""
        self._overdue: dict[int, float] = {}
        """The requests under way that no page waits for any longer."""
        self._pages: deque[_Page[T]] = deque()
        """The pages that wait, in the order of their answers, and thus of `last_request`."""
        self._mean_s = 0.0

    @property
    def deadline_s(self) -> float | None:
        """When to call `give_up`; None while no page waits."""
        return min((page.deadline_s for page in self._pages), default=None)

    @property
    def awaited(self) -> Sequence[int]:
        """The requests under way that a page would wait for, in the order they were sent in."""
        return tuple(self._sent_s)

    def begin(self, now_s: float) -> int:
        """Record that a page is requested; returns the request's number."""
        self._last_request += 1
        self._sent_s[self._last_request] = now_s
        return self._last_request

    def answer(
        self, request: int, states: Iterable[tuple[T, ParsedMessage]], now_s: float
    ) -> Sequence[tuple[T, ParsedMessage]]:
        """Record the page of a request; returns the states that leave now."""
        sent_s = self._sent_s.pop(request, None)
        took_s = now_s - (self._overdue.pop(request) if sent_s is None else sent_s)
        self._mean_s += (took_s - self._mean_s) * (_WEIGHT if self._mean_s else 1.0)
        patience_s = min(max(PATIENCE_FACTOR * self._mean_s, MIN_PATIENCE_S), MAX_PATIENCE_S)
        page = _Page(request, self._last_request, list(states), now_s + patience_s)
        if page.states:
            self._pages.append(page)
        return self._release()

    def fail(self, request: int) -> Sequence[tuple[T, ParsedMessage]]:
        """Record that a request ends without a page; returns the states that leave now."""
        self._sent_s.pop(request, None)
        self._overdue.pop(request, None)
        return self._release()

    def give_up(self, now_s: float) -> tuple[int, Sequence[tuple[T, ParsedMessage]]]:
        """Wait no longer for requests that a page has waited for until now.

        Returns how many these are, and the states that leave now.
        """
        waited_for = max(
            (page.last_request for page in self._pages if page.deadline_s <= now_s), default=0
        )
        overdue = [request for request in self._sent_s if request <= waited_for]
        for request in overdue:
            self._overdue[request] = self._sent_s.pop(request)
        return len(overdue), self._release()

    def _release(self) -> Sequence[tuple[T, ParsedMessage]]:
        first_under_way = next(iter(self._sent_s), math.inf)
        pages: list[_Page[T]] = []
        while self._pages and self._pages[0].last_request < first_under_way:
            pages.append(self._pages.popleft())
        if not pages:
            return ()
        # Of two states with the same order, that of the request which was sent first leaves first.
        pages.sort(key=lambda page: page.request)
        states = [state for page in pages for state in page.states]
        if self._pages:
            states += self._take_older_than(states)
        return sorted(states, key=lambda state: state[1].order)

    def _take_older_than(
        self, states: Iterable[tuple[T, ParsedMessage]]
    ) -> list[tuple[T, ParsedMessage]]:
        """Remove, and return, the states of waiting pages that are older than these."""
        newest: dict[str, tuple[int, int]] = {}
        for _, state in states:
            newest[state.pillow] = max(state.order, newest.get(state.pillow, state.order))
        taken: list[tuple[T, ParsedMessage]] = []
        for page in self._pages:
            left: list[tuple[T, ParsedMessage]] = []
            for entry in page.states:
                known = newest.get(entry[1].pillow)
                (left if known is None or entry[1].order > known else taken).append(entry)
            page.states = left
        return taken
