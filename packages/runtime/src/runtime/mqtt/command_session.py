"""A session for as long as a command runs: it is connected in time, or the command ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from runtime.clocks import monotonic_s
from runtime.mqtt.config import SessionConfig, Subscription
from runtime.mqtt.packets import Message
from runtime.mqtt.session import MqttSession
from runtime.settings import CommonSettings, SettingsError

CONNECT_TIMEOUT_S: Final = 15.0
"""How long the connection to the broker may take, from the last message that arrived on it."""

_STOP_TIMEOUT_S: Final = 1.0
_POLL_S: Final = 0.1


class CommandSession:
    """A session whose instance is named after a command of a service."""

    def __init__(
        self,
        settings: CommonSettings,
        service: str,
        command: str,
        subscription: Subscription,
        on_message: Callable[[Message], None],
    ) -> None:
        self._on_message = on_message
        self._arrived_s = 0.0
        self.session = MqttSession(
            SessionConfig.for_service(settings, service, command),
            subscription,
            on_message=self._receive,
        )

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Connect, and disconnect at the end.

        Raises SettingsError when the broker refuses the session, or when it is not ready and
        nothing arrives for CONNECT_TIMEOUT_S.
        """
        stopping = asyncio.Event()
        running = asyncio.create_task(self.session.run(stopping))
        try:
            await self._wait_ready()
            yield
        finally:
            stopping.set()
            await asyncio.wait({running}, timeout=_STOP_TIMEOUT_S)
            running.cancel()

    async def _wait_ready(self) -> None:
        self._arrived_s = monotonic_s()
        while not self.session.is_ready:
            if self.session.refusal is not None:
                # A person waits, and another attempt would end alike.
                raise SettingsError(self.session.refusal)
            left_s = self._arrived_s + CONNECT_TIMEOUT_S - monotonic_s()
            if left_s <= 0:
                raise SettingsError(
                    f"no connection to the broker: {self.session.last_error}; check MQTT_URL"
                )
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, _POLL_S)):
                    await self.session.wait_ready()

    def _receive(self, message: Message) -> None:
        self._arrived_s = monotonic_s()
        self._on_message(message)
