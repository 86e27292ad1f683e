"""Publishes how many clients the gateway has, retained, on its own topic."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from contract.watching import encode_watching
from gateway.watching.schedule import INTERVAL_S, WatchingSchedule
from runtime.log_repeats import LogRepeats
from runtime.mqtt import STATUS_EXPIRY_S, BrokerLost, MqttSession, PublishRefused

log = structlog.get_logger()


class WatchingPublisher:
    """Says the number of clients on MQTT, as the schedule decides."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._changed = asyncio.Event()
        self._schedule = WatchingSchedule()
        self._connection = 0
        self._repeats = LogRepeats()

    def check(self) -> None:
        """Publish now what is due: the first client came, the last one left, or the broker is back.

        Other changes need no call, because most clients then cost nothing here.
        """
        self._changed.set()

    async def run(self, session: MqttSession, clients: Callable[[], int]) -> None:
        """Publish the number that `clients` returns, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await session.wait_ready()
            if self._connection != session.connections:
                self._connection = session.connections
                self._schedule.forget()
            self._changed.clear()
            number = clients()
            wait_s = self._schedule.wait_s(number, loop.time())
            if wait_s == 0:
                self._schedule.record(number, loop.time())
                await self._publish(session, number)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(wait_s, INTERVAL_S)):
                    await self._changed.wait()

    def publish_none(self, session: MqttSession) -> None:
        """Publish that there are no clients, without waiting: the gateway stops."""
        with contextlib.suppress(BrokerLost, PublishRefused):
            self._send(session, 0).add_done_callback(_retrieve)

    async def _publish(self, session: MqttSession, number: int) -> None:
        try:
            await self._send(session, number)
        except BrokerLost:
            self._schedule.forget()
        except PublishRefused as error:
            if (repeats := self._repeats.due("refused")) is not None:
                log.warning(
                    "the broker refuses to keep how many clients look; pollers poll as if it was "
                    "not known",
                    topic=self._topic,
                    error=str(error),
                    **repeats,
                )

    def _send(self, session: MqttSession, number: int) -> asyncio.Future[None]:
        # It ends no later than the last will beside it, without which it would count as clients.
        return session.publish(
            self._topic, encode_watching(number), retain=True, expiry_s=STATUS_EXPIRY_S
        )


def _retrieve(published: asyncio.Future[None]) -> None:
    """Take the error of a publish that nobody waits for."""
    if not published.cancelled():
        published.exception()
