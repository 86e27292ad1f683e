"""The worker: starts the parts of the pipeline, and stops them in order."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from poller.background_tasks import BackgroundTasks
from poller.consume.consumer import Consumer
from poller.publish.page_publisher import PagePublisher
from poller.settle.settlement import Settlement

DRAIN_TIMEOUT_S: Final = 4.0
"""How long a stop waits for the messages in flight, in seconds."""

STOP_TIMEOUT_S: Final = 7.0
"""How long a stop takes until every message is settled or abandoned, in seconds. It is below the
deadline for a stop (runtime/lifecycle.py), because the MQTT session ends after it."""


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
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as group:
                self._tasks.open(group)
                self._settlement.start()
                for background in self._background:
                    self._tasks.start(background())
                receiving = group.create_task(self._consumer.run(stopping))
                await stopping.wait()
                stopped_at = loop.time()
                await self._settlement.drain(receiving, DRAIN_TIMEOUT_S)
                self._publisher.close()
                await self._tasks.cancel()
                left_s = stopped_at + STOP_TIMEOUT_S - loop.time()
                await self._settlement.abandon_all(receiving, left_s)
        finally:
            self._tasks.close()
