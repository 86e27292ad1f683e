"""The consumer: polls the queue, with extra fetch loops while its pages are full.

The queue returns at most 32 messages for a request, so that a slow queue needs several requests at
once. While pages are not full one loop is enough, and more would only cost requests.
Beside another poller it is one loop too: see `PageFetcher.may_fetch_beside`.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from poller.consume.page_fetcher import PageFetcher
from poller.consume.page_size import PageSize
from poller.consume.poll_pacer import PollPacer
from poller.consume.polling import DENIED_DELAY_S, Found
from poller.queues import QueueDenied, QueueUnavailable

T = TypeVar("T")

MAX_FETCH_LOOPS: Final = 4
"""Limit of concurrent receive requests: 4 pages in 10 ms are 12,800 messages a second, several
times what Azure states for one queue."""


class Consumer:
    """Polls the queue when the pacer says so."""

    def __init__(self, fetcher: PageFetcher, pacer: PollPacer, lease_s: float) -> None:
        self._fetcher = fetcher
        self._pacer = pacer
        self._page_size = PageSize(lease_s)
        self._extra_loops: set[asyncio.Task[None]] = set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Poll until `stopping` is set; then no request is under way any more."""
        stopped: asyncio.Future[Any] = asyncio.ensure_future(stopping.wait())
        try:
            async with asyncio.TaskGroup() as group:
                await self._fetch_loop(stopped, group)
        finally:
            stopped.cancel()

    async def _fetch_loop(self, stopped: "asyncio.Future[Any]", group: asyncio.TaskGroup) -> None:
        while not stopped.done():
            places = await _wait_unless(stopped, self._fetcher.reserve_page())
            if places is None:
                return
            try:
                await self._poll(places, stopped, group)
            except TimeoutError:
                return
            await self._pacer.pause(stopped)

    async def _poll(
        self, places: int, stopped: "asyncio.Future[Any]", group: asyncio.TaskGroup
    ) -> None:
        """Fetch a page into reserved places, and tell the pacer what came of it."""
        began_s = asyncio.get_running_loop().time()
        try:
            number, limit = await self._fetch(places, stopped)
        except QueueUnavailable as error:
            self._pacer.record_failure(error.retry_after_s)
        except QueueDenied:
            self._pacer.record_failure(DENIED_DELAY_S)
        else:
            if number == places:
                self._start_extra_loop(stopped, group)
            self._pacer.record_poll(Found.of(number, limit), began_s)

    async def _fetch(self, places: int, stopped: "asyncio.Future[Any]") -> tuple[int, int]:
        """Fetch as many messages as the places and the failures before allow.

        Returns their number, and how many were requested.
        """
        loop = asyncio.get_running_loop()
        request = self._page_size.request(loop.time())
        limit = min(places, request.messages)
        try:
            number = await self._fetcher.fetch(places, limit, stopped)
        except QueueUnavailable as error:
            if error.suspects_page:
                self._page_size.record_failed_page(request, loop.time())
            raise
        self._page_size.record_page(request, number)
        return number, limit

    def _start_extra_loop(self, stopped: "asyncio.Future[Any]", group: asyncio.TaskGroup) -> None:
        if len(self._extra_loops) < MAX_FETCH_LOOPS - 1 and self._fetcher.may_fetch_beside:
            task = group.create_task(self._extra_fetch_loop(stopped, group))
            self._extra_loops.add(task)
            task.add_done_callback(self._extra_loops.discard)

    async def _extra_fetch_loop(
        self, stopped: "asyncio.Future[Any]", group: asyncio.TaskGroup
    ) -> None:
        """Fetch beside the first loop for as long as pages are full."""
        try:
            while True:
                places = await _wait_unless(stopped, self._fetcher.reserve_page())
                if places is None:
                    return
                number, _ = await self._fetch(places, stopped)
                if number < places or not self._fetcher.may_fetch_beside:
                    return
                self._start_extra_loop(stopped, group)
        except (TimeoutError, QueueUnavailable, QueueDenied):
            pass  # QueueHealth has recorded it; the first loop decides when to poll again


async def _wait_unless(stopped: "asyncio.Future[Any]", waiting: Coroutine[Any, Any, T]) -> T | None:
    """Wait for a coroutine, and return its result or raise its error.

    It is cancelled and None is returned when `stopped` is done before.
    """
    task = asyncio.ensure_future(waiting)
    try:
        await asyncio.wait((stopped, task), return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() and not stopped.done() else None
    finally:
        task.cancel()
