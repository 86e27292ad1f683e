"""Share store: the records and revocations of share links, as retained messages on the broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from contract.topics import Topics
from gateway.auth.revocations import Revocations
from gateway.auth.shares import ShareRecord, parse_record
from gateway.settings import GatewaySettings
from runtime.mqtt import MqttSession, SessionConfig, Subscription
from runtime.mqtt.packets import Message
from runtime.settings import SettingsError

CONNECT_TIMEOUT_S: Final = 15.0
"""How long a command waits for the broker and its retained messages."""

STOP_TIMEOUT_S: Final = 2.0


class ShareStore:
    """What the broker knows of share links. Publishing raises runtime.mqtt's BrokerLost or
    PublishRefused."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._topics = Topics(settings.topic_prefix)
        self.records: dict[str, ShareRecord] = {}
        self.revocations = Revocations()
        instance = f"{settings.instance[:56]}-shares"
        self._session = MqttSession(
            SessionConfig(
                settings.broker,
                settings.mqtt_protocol,
                service="gateway",
                instance=instance,
                status_topic=self._topics.status("gateway", instance),
                mark_topic=self._topics.mark("gateway", instance),
            ),
            Subscription((self._topics.all_shares, self._topics.all_revocations)),
            on_message=self._receive,
        )

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["ShareStore"]:
        """Connect, and have every record. Raises SettingsError if the broker cannot be reached."""
        stopping = asyncio.Event()
        running = asyncio.create_task(self._session.run(stopping))
        try:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await self._session.wait_ready()
            except TimeoutError:
                raise SettingsError(
                    f"no connection to the broker: {self._session.last_error}; check MQTT_URL"
                ) from None
            yield self
        finally:
            stopping.set()
            await asyncio.wait({running}, timeout=STOP_TIMEOUT_S)
            running.cancel()

    async def add(self, record: ShareRecord) -> None:
        """Store the record of a new link."""
        await self._session.publish(
            self._topics.share(record.id), msgspec.json.encode(record), retain=True
        )

    async def revoke(self, share_id: str, now_s: int) -> None:
        """Revoke a link: every gateway of this deployment closes its connections."""
        payload = msgspec.json.encode({"revoked": now_s})
        await self._session.publish(self._topics.revoked(share_id), payload, retain=True)

    async def forget(self, share_id: str) -> None:
        """Remove a link's record and revocation; only for a link whose token has expired."""
        await self._session.publish(self._topics.share(share_id), b"", retain=True)
        await self._session.publish(self._topics.revoked(share_id), b"", retain=True)

    def _receive(self, message: Message) -> None:
        kind, share_id = self._topics.parse_share(message.topic) or ("", "")
        if kind == "revoked":
            self.revocations.receive(share_id, message.payload)
        elif kind == "shares" and (record := parse_record(message.payload)) is not None:
            self.records[share_id] = record
