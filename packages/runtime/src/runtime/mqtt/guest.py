"""A guest: one connection that only reads, for commands of operators who may write nothing.

It has no status, no last will and no marks, so that a user whom the broker lets only read can use
it. It does not reconnect.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from runtime.mqtt.config import SessionConfig, SessionLimits
from runtime.mqtt.connection import Connection
from runtime.mqtt.connection_events import ConnectionEvents
from runtime.mqtt.errors import BrokerLost, BrokerUnusable, PublishRefused
from runtime.mqtt.packets import Message
from runtime.mqtt.properties import FAILURE, publish_properties, subscribe_topics
from runtime.mqtt.publish_window import Publish
from runtime.settings import CommonSettings

QUIET_S: Final = 0.25
"""Retained messages have arrived when nothing has for this long."""

_POLL_S: Final = 0.05


class Guest:
    """A connection under the user of the settings. Every method raises BrokerLost.

    `on_message` is called for each message, in order.
    """

    def __init__(
        self,
        settings: CommonSettings,
        on_message: Callable[[Message], None] = lambda _message: None,
        limits: SessionLimits | None = None,
    ) -> None:
        self._v5 = settings.mqtt_protocol == "5"
        self._on_message = on_message
        self._arrived = 0
        config = SessionConfig(
            settings.broker,
            settings.mqtt_protocol,
            service="guest",
            instance="guest",
            status_topic="",
            mark_topic="",
            limits=limits or SessionLimits(),
        )
        self._connection = Connection(
            config,
            f"pillowcast-{secrets.token_hex(6)}",
            ConnectionEvents(self._receive, lambda _error: None, lambda _topic, _size: None),
        )

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Connect, and disconnect at the end.

        Raises BrokerLost, or BrokerUnusable with what to change.
        """
        await self._connection.open(None)
        try:
            yield
        finally:
            await self._connection.disconnect()

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe with QoS 0; raises BrokerUnusable if the broker refuses a filter."""
        self._connection.send_subscribe(subscribe_topics(filters, v5=self._v5, qos=0))
        granted = await self._connection.wait_subscribed()
        for topic, code in zip(filters, granted, strict=False):
            if code.value >= FAILURE:
                raise BrokerUnusable(
                    f"the broker refused the subscription to {topic} ({code}); check its ACL"
                )

    async def settle(self) -> None:
        """Wait until the retained messages have arrived: nothing did for QUIET_S."""
        quiet_s, before = 0.0, self._arrived
        while quiet_s < QUIET_S:
            await asyncio.sleep(_POLL_S)
            quiet_s = quiet_s + _POLL_S if self._arrived == before else 0.0
            before = self._arrived

    async def may_publish(self, topic: str) -> str | None:
        """Publish an empty message that is not retained; return why the broker refuses it.

        With MQTT 3.1.1 a broker cannot say so.
        """
        properties = publish_properties(None, None, ()) if self._v5 else b""
        published = self._connection.publish(Publish(topic, b"", False, properties))
        try:
            await self._connection.wait_for(published)
        except PublishRefused as error:
            return str(error)
        except TimeoutError:
            raise BrokerLost("no acknowledgement of a publish") from None
        return None

    async def wait_lost(self) -> None:
        """Wait for the end of the connection, and raise its reason as BrokerLost."""
        await self._connection.wait_lost()

    def _receive(self, message: Message) -> None:
        self._arrived += 1
        self._on_message(message)
