"""Share store: the records and revocations of share links, as retained messages on the broker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from contract.shares import ShareRecord
from contract.topics import Topics
from gateway.auth.revocations import Revocations
from gateway.auth.shares import parse_record
from gateway.settings import GatewaySettings
from runtime.mqtt import CommandSession, Message, Subscription


class ShareStore:
    """What the broker knows of share links.

    Publishing raises runtime.mqtt's BrokerLost or PublishRefused.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        self._topics = Topics(settings.topic_prefix)
        self.records: dict[str, ShareRecord] = {}
        self.revocations = Revocations()
        subscription = Subscription((self._topics.all_shares, self._topics.all_revocations))
        self._broker = CommandSession(settings, "gateway", "shares", subscription, self._receive)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["ShareStore"]:
        """Connect, and have every record. Raises SettingsError if the broker cannot be reached."""
        async with self._broker.connected():
            yield self

    async def add(self, record: ShareRecord) -> None:
        """Store the record of a new link."""
        await self._broker.session.publish(
            self._topics.share(record.id), msgspec.json.encode(record), retain=True
        )

    async def revoke(self, share_id: str, now_s: int) -> None:
        """Revoke a link: every gateway of this deployment closes its connections."""
        payload = msgspec.json.encode({"revoked": now_s})
        await self._broker.session.publish(self._topics.revoked(share_id), payload, retain=True)

    async def forget(self, share_id: str) -> None:
        """Remove a link's record and revocation; only for a link whose token has expired."""
        await self._broker.session.publish(self._topics.share(share_id), b"", retain=True)
        await self._broker.session.publish(self._topics.revoked(share_id), b"", retain=True)

    def _receive(self, message: Message) -> None:
        kind, share_id = self._topics.parse_share(message.topic) or ("", "")
        if kind == "revoked":
            self.revocations.receive(share_id, message.payload)
        elif kind == "shares" and (record := parse_record(message.payload)) is not None:
            self.records[share_id] = record
