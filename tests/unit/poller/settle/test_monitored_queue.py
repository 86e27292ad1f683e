"""The monitored queue: an operation that is cancelled before it begins leaves nothing behind."""

import asyncio
import gc
import warnings

from poller.metrics import PollerMetrics
from poller.settle.monitored_queue import MonitoredQueue
from poller.settle.queue_health import QueueHealth
from tests.fakes.calls import Calls
from tests.fakes.queue import FakeQueue, QueueServer


async def test_an_operation_cancelled_before_it_begins_is_no_coroutine_never_awaited() -> None:
    """Python would print a warning at a stop."""
    calls = Calls()
    queue = MonitoredQueue(
        FakeQueue(QueueServer(), calls, visibility_s=8), QueueHealth(PollerMetrics())
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        receiving = asyncio.ensure_future(queue.receive(1))
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)
        gc.collect()

    assert receiving.cancelled()
    assert [str(one.message) for one in caught] == []
    assert calls.made == []
