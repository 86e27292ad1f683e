"""Access parts: access control from the settings, and what keeps it up to date."""

from dataclasses import dataclass, field

import structlog

from contract.topics import Topics
from gateway.auth.authenticator import Authenticator
from gateway.auth.key_cache import KeyCache, fetch_key_set
from gateway.auth.keys import KeySet
from gateway.auth.revocations import Revocations
from gateway.auth.verifier import TokenVerifier
from gateway.settings import GatewaySettings
from gateway.transport.access import AccessControl
from runtime.clocks import monotonic_s
from runtime.log_repeats import LogRepeats
from runtime.mqtt import Message
from runtime.queue_aware_clock import Clock

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AccessParts:
    """Access control, the revocations that it asks, and the keys that are fetched, if any."""

    control: AccessControl
    revocations: Revocations
    key_cache: KeyCache | None
    topics: Topics
    log_repeats: LogRepeats = field(default_factory=LogRepeats)

    async def run(self) -> None:
        """Keep the keys up to date, until cancelled."""
        if self.key_cache is not None:
            await self.key_cache.run()

    def on_broker_ready(self) -> None:
        """Note that the revocations that the broker retains have arrived."""
        self.revocations.complete()

    def receive(self, message: Message) -> bool:
        """Take the revocation of a share link; return whether the message was one."""
        link = self.topics.parse_share(message.topic)
        if link is None:
            return False
        kind, share_id = link
        if kind == "revoked" and self.revocations.receive(share_id, message.payload):
            self.control.revoke(share_id)
        if self.revocations.ignored:
            self._log_ignored()
        return True

    def _log_ignored(self) -> None:
        repeats = self.log_repeats.due("revocation ignored")
        if repeats is not None:
            log.error(
                "a share link's revocation is ignored, because too many are retained; remove old "
                "ones with `gateway shares`",
                limit=len(self.revocations),
                **repeats,
            )


def create_access(settings: GatewaySettings, topics: Topics, clock: Clock) -> AccessParts | None:
    """Return access control; None where everybody may see everything."""
    if settings.auth == "none":
        return None
    configured, revocations = settings.configured_keys, Revocations()
    cache = (
        KeyCache(settings.jwt_key_url, monotonic_s, fetch_key_set) if settings.jwt_key_url else None
    )

    def keys() -> KeySet:
        return configured if cache is None else configured + cache.keys

    def now_ms() -> int:
        now = clock.read()
        # The reference knows of a wall clock that is wrong.
        return now.reference_ms or now.wall_ms

    verifier = TokenVerifier(
        settings.token_rules,
        keys,
        settings.share_keys,
        revocations.is_revoked,
        (lambda _key_id: False) if cache is None else cache.ask_for_unknown_key,
    )
    authenticator = Authenticator(verifier, now_ms, lambda: clock.is_settled)
    return AccessParts(AccessControl(authenticator), revocations, cache, topics)
