"""The worker: starts the parts of the pipeline, and stops them in order."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from poller.background_tasks import BackgroundTasks
from poller.consume.consumer import Consumer
from poller.publish.page_publisher import PagePublisher
from poller.settle.settlement import Settlement

DRAIN_TIMEOUT_S: Final = 4.0
"""How long a stop waits for the messages in flight, in seconds; see
`settlement.ABANDON_ALL_TIMEOUT_S`."""


class Worker:
    """Runs a pipeline from a queue to a broker.

    `background` are loops that run beside it until they are cancelled.
    """

    def __init__(
        self,
        consumer: Consumer,
        publisher: PagePublisher,
        settlement: Settlement,
        tasks: BackgroundTasks,
        background: Sequence[Callable[[], Coroutine[Any, Any, None]]],
    ) -> None:
        self._consumer = consumer
        self._publisher = publisher
        self._settlement = settlement
        self._tasks = tasks
        self._background = background

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set; then complete or abandon the messages in flight.

        An error that nothing handles ends the worker with an ExceptionGroup.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._tasks.open(group)
                self._settlement.start()
                for loop in self._background:
                    self._tasks.start(loop())
                await self._consumer.run(stopping)
                await self._settlement.drain(DRAIN_TIMEOUT_S)
                self._publisher.close()
                await self._tasks.cancel()
                await self._settlement.abandon_all()
        finally:
            self._tasks.close()
