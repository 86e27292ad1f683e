"""Fetching a page: only with room in the window and an open gate."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from poller.consume.page_handler import PageHandler
from poller.consume.polling import Found
from poller.consume.receive_gate import ReceiveGate
from poller.in_flight import InFlight
from poller.metrics import PollerMetrics
from poller.queues import ReceivedMessage
from poller.settle.monitored_queue import MonitoredQueue

LAST_PAGE_S: Final = 3.0
"""How long a stop waits for a page that was requested, in seconds. A page that nobody waits for
stays hidden until its lease ends."""


class PageFetcher:
    """Receives pages from the queue and passes each to the page handler."""

    def __init__(
        self,
        queue: MonitoredQueue,
        gate: ReceiveGate,
        in_flight: InFlight,
        handler: PageHandler,
        metrics: PollerMetrics,
    ) -> None:
        self._queue = queue
        self._gate = gate
        self._in_flight = in_flight
        self._handler = handler
        self._metrics = metrics

    @property
    def may_fetch_beside(self) -> bool:
        """Whether several pages may be requested at once; see ReceiveGate."""
        return self._gate.may_fetch_beside

    async def reserve_page(self) -> int:
        """Wait until a page could be published, and reserve room for it in the window.

        Returns the number of messages that it may have.
        """
        while True:
            await self._queue.wait_retry_after()
            await self._gate.wait_open()
            places = await self._in_flight.reserve_page()
            if self._gate.is_open:
                return places
            self._in_flight.unreserve(places)  # it was closed during the wait for room

    async def fetch(self, places: int, limit: int, stopped: "asyncio.Future[Any]") -> int:
        """Receive up to `limit` messages into reserved places; returns their number.

        Raises QueueUnavailable, QueueDenied, and TimeoutError when the page takes longer than
        LAST_PAGE_S after `stopped`. Messages of a page that arrives later are delivered again when
        their lease ends.
        """
        loop = asyncio.get_running_loop()
        requested_at = loop.time()
        request = self._handler.begin_request()
        try:
            page = await _page_or_timeout(stopped, self._queue.receive(limit))
        except BaseException:
            self._in_flight.unreserve(places)
            self._handler.fail_request(request)
            raise
        self._in_flight.unreserve(places)
        took_s = loop.time() - requested_at
        self._in_flight.intake.record_receive(took_s)
        self._metrics.polls.labels(Found.of(len(page), limit).value).inc()
        waited_s = max((one.waited_s for one in page), default=0.0)
        self._in_flight.queue_age.record_page(waited_s, loop.time(), took_s)
        self._handler.accept(request, page)
        return len(page)


async def _page_or_timeout(
    stopped: "asyncio.Future[Any]", receiving: Coroutine[Any, Any, list[ReceivedMessage]]
) -> list[ReceivedMessage]:
    page = asyncio.ensure_future(receiving)
    try:
        await asyncio.wait((stopped, page), return_when=asyncio.FIRST_COMPLETED)
        async with asyncio.timeout(LAST_PAGE_S):
            return await page
    finally:
        page.cancel()
