"""Publishes the save marks: right behind the states that were written, with a least interval."""

import asyncio
from typing import Final

import structlog

from poller.publish.journaled_writes import JournaledWrites
from poller.publish.state_publisher import StatePublisher
from runtime.mqtt import BrokerLost, PublishRefused

log = structlog.get_logger()

MARK_INTERVAL_S: Final = 0.2
"""The least time between two marks, in seconds. A pillow that is removed while there is no
connection, and whose last state no mark follows, comes back."""

DAY_S: Final = 86_400.0


class SaveMarkPublisher:
    """Publishes a retained mark behind the states that were recorded.

    It publishes none while the broker lacks a last write: a mark says that all before it are there.
    """

    def __init__(self, broker: StatePublisher, writes: JournaledWrites) -> None:
        self._broker = broker
        self._writes = writes
        self._was_refused = False

    async def run(self) -> None:
        """Publish until cancelled, and then once more for the states since the last mark."""
        try:
            while True:
                await self._writes.has_unmarked.wait()
                await self._broker.wait_ready()
                if not self._writes.has_lost:
                    await self._publish()
                await asyncio.sleep(MARK_INTERVAL_S)
        finally:
            is_due = self._writes.has_unmarked.is_set() and self._broker.is_ready
            if is_due and not self._writes.has_lost:
                self._send()

    async def pass_days(self) -> None:
        """Forget, once a day, the pillows of which nothing came for a week."""
        while True:
            await asyncio.sleep(DAY_S)
            self._writes.pass_day()

    async def _publish(self) -> None:
        published = self._send()
        if published is None:
            return
        try:
            await published
        except BrokerLost:
            pass  # the next state has another mark
        except PublishRefused as error:
            self._log_refused(error)

    def _send(self) -> asyncio.Future[None] | None:
        try:
            return self._broker.publish_mark(self._writes.next_mark())
        except BrokerLost:
            return None
        except PublishRefused as error:
            self._log_refused(error)
            return None

    def _log_refused(self, error: PublishRefused) -> None:
        if not self._was_refused:
            self._was_refused = True
            log.warning(
                "the broker refuses the save mark; a pillow removed during an outage returns",
                error=str(error),
            )
