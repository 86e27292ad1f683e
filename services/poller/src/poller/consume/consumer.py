"""Receiving: page after page while there is room, and in several loops while pages are full.

The queue cannot push, and answers one request with 32 messages at most; so where each answer takes
its time, several requests have to be under way. While pages are not full, one loop is enough.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, Final

from poller.consume.in_flight import InFlight
from poller.consume.polling import (
    DENIED_S,
    Policy,
    PollState,
    after_failure,
    after_messages,
    after_nothing,
    pause,
)
from poller.metrics import PollerMetrics
from poller.publish.state_publisher import StatePublisher
from poller.queues import Queue, QueueDenied, QueueUnavailable, ReceivedMessage
from poller.settle.queue_health import QueueHealth
from poller.tasks import Tasks

PAGE: Final = 32
"""The most messages that Azure hands out at once."""

LOOPS: Final = 4
"""How many requests for messages may be under way: 4 pages in 10 ms are 12,800 a second, several
times what Azure says that one queue can do."""

LAST_PAGE_S: Final = 1.0
"""How long a stop waits for a page that is on its way."""


class Consumer:
    """Asks the queue for messages and hands each page to `take`."""

    def __init__(
        self,
        queue: Queue,
        broker: StatePublisher,
        in_flight: InFlight,
        health: QueueHealth,
        tasks: Tasks,
        metrics: PollerMetrics,
        policy: Policy,
        take: Callable[[list[ReceivedMessage]], None],
    ) -> None:
        self._queue = queue
        self._broker = broker
        self._in_flight = in_flight
        self._health = health
        self._tasks = tasks
        self._metrics = metrics
        self._policy = policy
        self._take = take
        self._helpers = 0
        self._turn = asyncio.Event()
        self._turn.set()
        """Set when the page that was asked for last has come, or will not."""
        self._singles = 0

    async def run(self, stopping: asyncio.Event) -> None:
        """Receive until `stopping` is set."""
        asked = asyncio.ensure_future(stopping.wait())
        pace = PollState(last_message_s=-self._policy.hot_s)
        now = asyncio.get_running_loop().time
        try:
            while not stopping.is_set():
                # Without a broker nothing could be published: leave the leases to others.
                await _first(asked, self._ready())
                if stopping.is_set():
                    return
                limit = 1 if self._singles else PAGE
                try:
                    page = await self._page(asked, limit)
                except TimeoutError:
                    return
                except QueueUnavailable as error:
                    self._health.failed("receive", error)
                    pace = after_failure(pace, error.retry_after_s)
                    # It may be one message that the queue cannot hand out (Azurite, and a control
                    # character): one by one, it takes no others with it.
                    self._singles = PAGE
                except QueueDenied as error:
                    self._health.failed("receive", error)
                    pace = after_failure(pace, DENIED_S)
                else:
                    self._singles = max(0, self._singles - len(page))
                    pace = (
                        after_messages(pace, now())
                        if page
                        else after_nothing(pace, self._policy, now())
                    )
                    if len(page) == PAGE:
                        self._get_help(asked)
                delay_s = pause(pace, self._policy, random.random())  # noqa: S311 - jitter
                if delay_s:
                    await _first(asked, asyncio.sleep(delay_s))
        finally:
            asked.cancel()

    def _get_help(self, asked: "asyncio.Future[Any]") -> None:
        if self._helpers < LOOPS - 1:
            self._helpers += 1
            self._tasks.start(self._extra_fetch_loop(asked))

    async def _extra_fetch_loop(self, asked: "asyncio.Future[Any]") -> None:
        """Receive beside the first loop, for as long as pages are full."""
        try:
            while True:
                await _first(asked, self._ready())
                if asked.done() or len(await self._page(asked, PAGE)) < PAGE:
                    return
                self._get_help(asked)
        except TimeoutError:
            pass
        except (QueueUnavailable, QueueDenied) as error:
            self._health.failed("receive", error)  # how to go on is for the first loop to say
        finally:
            self._helpers -= 1

    async def _ready(self) -> None:
        """Wait until a page could be published, and keep room for it."""
        while True:
            await self._health.quiet()
            await self._broker.wait_ready()
            await self._in_flight.reserve(PAGE)
            if self._broker.is_ready:
                return
            self._in_flight.free(PAGE)  # it went while there was no room

    async def _page(self, asked: "asyncio.Future[Any]", limit: int) -> list[ReceivedMessage]:
        """Receive a page that room is kept for.

        Once `asked` is done, raises TimeoutError if that takes long.
        What the queue then hands out to nobody becomes visible again when its lease ends.
        """
        before, self._turn = self._turn, asyncio.Event()
        mine = self._turn
        try:
            page = await _page_or_end(asked, self._queue.receive(limit))
            # In the order they were asked for: the states of one pillow mostly lie in it, and what
            # comes late would be superseded.
            await before.wait()
        finally:
            self._in_flight.free(PAGE)
            mine.set()
        self._health.worked("receive")
        found = "full" if len(page) == PAGE else "some" if page else "nothing"
        self._metrics.polls.labels(found).inc()
        oldest_s = max((message.waited_s for message in page), default=0.0)
        self._metrics.oldest_s.set(oldest_s)
        self._take(page)
        return page


async def _page_or_end(
    asked: "asyncio.Future[Any]", receiving: Coroutine[Any, Any, list[ReceivedMessage]]
) -> list[ReceivedMessage]:
    page = asyncio.ensure_future(receiving)
    try:
        await asyncio.wait((asked, page), return_when=asyncio.FIRST_COMPLETED)
        async with asyncio.timeout(LAST_PAGE_S):
            return await page
    finally:
        page.cancel()


async def _first(asked: "asyncio.Future[Any]", waiting: Coroutine[Any, Any, Any]) -> None:
    """Wait for `waiting`, or until `asked` is done."""
    task = asyncio.ensure_future(waiting)
    try:
        await asyncio.wait((asked, task), return_when=asyncio.FIRST_COMPLETED)
    finally:
        task.cancel()
