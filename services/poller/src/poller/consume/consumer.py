"""The consumer: polls the queue, with extra fetch loops while its pages are full.

The queue returns at most 32 messages for a request, so that a slow queue needs several requests at
once. While pages are not full one loop is enough, and more would only cost requests.
Beside another poller it is one loop too: see `PageFetcher.may_fetch_beside`.
"""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, Final

from azure_queue.service import PAGE_SIZE
from poller.background_tasks import BackgroundTasks
from poller.consume.page_fetcher import PageFetcher
from poller.consume.polling import (
    DENIED_DELAY_S,
    PollPolicy,
    PollState,
    after_failure,
    after_messages,
    after_nothing,
    next_delay_s,
)
from poller.queues import QueueDenied, QueueUnavailable

MAX_FETCH_LOOPS: Final = 4
"""Limit of concurrent receive requests: 4 pages in 10 ms are 12,800 messages a second, several
times what Azure states for one queue."""


class Consumer:
    """Polls the queue at the rate of the policy."""

    def __init__(self, fetcher: PageFetcher, policy: PollPolicy, tasks: BackgroundTasks) -> None:
        self._fetcher = fetcher
        self._policy = policy
        self._tasks = tasks
        self._extra_loops = 0
        self._single_fetches = 0
        """How many messages are still to be received one by one, after a failed poll."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Poll until `stopping` is set."""
        stopped: asyncio.Future[Any] = asyncio.ensure_future(stopping.wait())
        state = PollState(last_message_s=-self._policy.hot_s)
        try:
            while not stopping.is_set():
                await _wait_unless(stopped, self._fetcher.reserve_page())
                if stopping.is_set():
                    return
                try:
                    state = await self._poll(state, stopped)
                except TimeoutError:
                    return
                delay_s = next_delay_s(state, self._policy, random.random())  # noqa: S311 - jitter
                if delay_s:
                    await _wait_unless(stopped, asyncio.sleep(delay_s))
        finally:
            stopped.cancel()

    async def _poll(self, state: PollState, stopped: "asyncio.Future[Any]") -> PollState:
        """Fetch a page that is reserved, and return the state after it."""
        try:
            number = await self._fetcher.fetch(1 if self._single_fetches else PAGE_SIZE, stopped)
        except QueueUnavailable as error:
            # The cause may be one message that the queue cannot return (Azurite, and a control
            # character): received one by one, the messages beside it pass.
            self._single_fetches = PAGE_SIZE
            return after_failure(state, error.retry_after_s)
        except QueueDenied:
            return after_failure(state, DENIED_DELAY_S)
        self._single_fetches = max(0, self._single_fetches - number)
        if number == PAGE_SIZE:
            self._start_extra_loop(stopped)
        now_s = asyncio.get_running_loop().time()
        if number:
            return after_messages(state, now_s)
        return after_nothing(state, self._policy, now_s)

    def _start_extra_loop(self, stopped: "asyncio.Future[Any]") -> None:
        if self._extra_loops < MAX_FETCH_LOOPS - 1 and self._fetcher.may_fetch_beside:
            self._extra_loops += 1
            self._tasks.start(self._extra_fetch_loop(stopped))

    async def _extra_fetch_loop(self, stopped: "asyncio.Future[Any]") -> None:
        """Fetch beside the first loop for as long as pages are full."""
        try:
            while True:
                await _wait_unless(stopped, self._fetcher.reserve_page())
                if stopped.done() or await self._fetcher.fetch(PAGE_SIZE, stopped) < PAGE_SIZE:
                    return
                if not self._fetcher.may_fetch_beside:
                    return
                self._start_extra_loop(stopped)
        except (TimeoutError, QueueUnavailable, QueueDenied):
            pass  # QueueHealth has recorded it; the first loop decides when to poll again
        finally:
            self._extra_loops -= 1


async def _wait_unless(stopped: "asyncio.Future[Any]", waiting: Coroutine[Any, Any, Any]) -> None:
    """Wait for a coroutine, and raise its error; it is cancelled when `stopped` is done before."""
    task = asyncio.ensure_future(waiting)
    try:
        await asyncio.wait((stopped, task), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    finally:
        task.cancel()
