"""Access control: which connections have a token, until when, and from which share link."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Protocol

import structlog

from contract.frames import FORBIDDEN, FULL, TOKEN_TIMEOUT, UNAUTHORIZED
from gateway.auth.authenticator import TOKEN_TIMEOUT_S, Authenticator
from gateway.auth.grants import Grant, Refused
from gateway.auth.permission import permitted
from gateway.transport.admission import Refusal, SubscriptionRequest

log = structlog.get_logger()

_LONGEST_TIMER_S: Final = 86_400.0
"""A timer is set anew each day, because event loops refuse timers of years."""

EXPIRED: Final = Refusal(UNAUTHORIZED, "the token expired; send another in a token message")
REVOKED: Final = Refusal(UNAUTHORIZED, "this share link was revoked")
NO_AUTHORIZATION: Final = Refusal(
    UNAUTHORIZED, "a token is needed, in the header Authorization: Bearer TOKEN"
)
NO_TOKEN: Final = Refusal(TOKEN_TIMEOUT, f"no token message within {TOKEN_TIMEOUT_S:.0f} s")


class Guarded(Protocol):
    """A connection that a token lets in."""

    def refuse(self, refusal: Refusal) -> None:
        """Send the client the reason, and close."""


class Pass:
    """One connection's grant, and the timer that ends it; or the wait for its first token."""

    __slots__ = ("asked", "grant", "is_over", "timer")

    def __init__(self, asked: SubscriptionRequest) -> None:
        self.asked = asked
        """What the client asks for, whatever it may see."""
        self.grant: Grant | None = None
        self.timer: asyncio.Handle | None = None
        self.is_over = False

    @property
    def is_waiting(self) -> bool:
        """Whether the client has sent no token yet."""
        return self.grant is None and not self.is_over


class AccessControl:
    """Checks tokens, and closes the connections whose token ends."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._by_share: dict[str, set[Guarded]] = {}

    def authenticate(self, fields: Mapping[bytes, bytes]) -> Grant | Refusal | None:
        """Return what the token in a request's headers permits; None if there is none."""
        outcome = self._authenticator.authenticate(fields)
        return _refusal(outcome) if isinstance(outcome, Refused) else outcome

    def check(self, token: str) -> Grant | Refusal:
        """Return what a token permits now."""
        outcome = self._authenticator.check(token)
        return _refusal(outcome) if isinstance(outcome, Refused) else outcome

    def await_token(self, connection: Guarded, waiting: Pass) -> None:
        """Refuse a connection that sends no token in time."""
        loop = asyncio.get_running_loop()
        waiting.timer = loop.call_later(TOKEN_TIMEOUT_S, connection.refuse, NO_TOKEN)

    def let_in(self, connection: Guarded, held: Pass, grant: Grant) -> None:
        """Note the grant of a connection, the first or a later one, until it ends."""
        self.leave(connection, held)
        held.grant = grant
        if grant.share is not None:
            self._by_share.setdefault(grant.share, set()).add(connection)
        self._set_timer(connection, held)

    def leave(self, connection: Guarded, held: Pass) -> None:
        """Forget a connection's grant."""
        if held.timer is not None:
            held.timer.cancel()
            held.timer = None
        share = held.grant.share if held.grant is not None else None
        if share is not None and (members := self._by_share.get(share)) is not None:
            members.discard(connection)
            if not members:
                del self._by_share[share]

    def revoke(self, share_id: str) -> None:
        """Close every connection that a share link let in."""
        members = tuple(self._by_share.get(share_id, ()))
        for connection in members:
            connection.refuse(REVOKED)
        log.info("a share link was revoked", share=share_id, connections=len(members))

    def _set_timer(self, connection: Guarded, held: Pass) -> None:
        if held.grant is None or held.grant.expires_ms is None:
            return
        left_s = (held.grant.expires_ms - self._authenticator.now_ms()) / 1000
        action: Callable[[], None] = lambda: self._set_timer(connection, held)  # noqa: E731
        if left_s <= 0:
            connection.refuse(EXPIRED)
            return
        loop = asyncio.get_running_loop()
        held.timer = loop.call_later(min(left_s, _LONGEST_TIMER_S), action)


def restricted(request: SubscriptionRequest, grant: Grant) -> SubscriptionRequest | Refusal:
    """Return a request with the pillows that a grant permits, or why it permits none of it."""
    asked = request.filter
    filter = permitted(asked if isinstance(asked, frozenset) else None, grant.scope)
    if isinstance(filter, str):
        return Refusal(FORBIDDEN, filter)
    return replace(request, filter=filter)


def _refusal(refused: Refused) -> Refusal:
    # A client reconnects after FULL, and not after UNAUTHORIZED.
    code = FULL if refused.may_pass_later else UNAUTHORIZED
    return Refusal(code, refused.reason)
