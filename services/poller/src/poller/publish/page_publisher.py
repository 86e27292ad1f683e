"""Publishing of pages: the states of several requests under way at once are merged.

`PageOrder` decides which states leave, and when; here are the clock and the publisher.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from contract.messages import ParsedMessage
from poller.background_tasks import BackgroundTasks
from poller.in_flight import InFlightMessage
from poller.metrics import PollerMetrics
from poller.publish.ordered_publisher import OrderedPublisher
from poller.publish.page_order import PageOrder
from runtime.log_repeats import LogRepeats

log = structlog.get_logger()

PAUSE_S: Final = 0.5
"""A deadline that is noticed later than this, in seconds, fell into a pause of the process. The
answers that have arrived meanwhile are read first, for as long again."""


class PagePublisher:
    """Publishes the states of pages, each pillow's in order, whatever order the answers come in."""

    def __init__(
        self, publisher: OrderedPublisher, tasks: BackgroundTasks, metrics: PollerMetrics
    ) -> None:
        self._publisher = publisher
        self._tasks = tasks
        self._metrics = metrics
        self._order: PageOrder[InFlightMessage] = PageOrder()
        self._timer: asyncio.TimerHandle | None = None
        self._repeats = LogRepeats()
        self._is_closed = False

    def begin(self) -> int:
        """Record that a page is requested; returns the request's number."""
        return self._order.begin(asyncio.get_running_loop().time())

    def publish(
        self, request: int, states: Sequence[tuple[InFlightMessage, ParsedMessage]]
    ) -> None:
        """Publish the states of a page, when those of the requests beside it are known."""
        self._publish(self._order.answer(request, states, asyncio.get_running_loop().time()))

    def fail(self, request: int) -> None:
        """Record that a request ended without a page, so that no other waits for it."""
        self._publish(self._order.fail(request))

    def supersede(self, message: InFlightMessage, state: ParsedMessage) -> bool:
        """Complete a message whose state, or a newer one, was confirmed; returns whether it was."""
        return self._publisher.supersede(message, state)

    def close(self) -> None:
        """Publish nothing from now on, and ignore confirmations: what is in flight is abandoned."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._publisher.close()

    def _publish(self, states: Sequence[tuple[InFlightMessage, ParsedMessage]]) -> None:
        if self._is_closed:
            return
        if states:
            self._publisher.publish(states)
        deadline_s = self._order.deadline_s
        if deadline_s is not None and self._timer is None:
            self._set_timer(deadline_s)

    def _set_timer(self, deadline_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(deadline_s, self._on_timer, deadline_s)

    def _on_timer(self, deadline_s: float) -> None:
        """Handle the deadline of a page; an unexpected error ends the worker."""
        self._timer = None
        now_s = asyncio.get_running_loop().time()
        if now_s - deadline_s > PAUSE_S:
            self._set_timer(now_s + PAUSE_S)
            return
        try:
            self._give_up(now_s)
        except Exception as error:
            self._tasks.fail(error)

    def _give_up(self, now_s: float) -> None:
        overdue, states = self._order.give_up(now_s)
        if overdue:
            self._metrics.overdue_requests.inc(overdue)
            if (repeats := self._repeats.due("overdue")) is not None:
                log.warning(
                    "a request for messages gets no answer, and the states of later ones no longer "
                    "wait for it; its own may be superseded; further ones are only counted",
                    requests=overdue,
                    **repeats,
                )
        self._publish(states)
