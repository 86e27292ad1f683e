"""Authenticator: the grant of a request, from the token in its headers or in a message."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.auth.grants import Grant, Refused
from gateway.auth.verifier import TokenVerifier

TOKEN_TIMEOUT_S: Final = 8.0
"""How long a client that sent no token in its handshake has for its first message."""

_SCHEME: Final = b"bearer "
BEARER_PROTOCOL: Final = b"bearer."
"""What a subprotocol begins with that carries a token, because a browser's WebSocket can set no
other header. A JSON Web Token has only characters that a subprotocol may have (RFC 7515 §3.1)."""


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Checks tokens at the gateway's best known time.

    Until the time is settled, no token is refused for good because of it.
    """

    verifier: TokenVerifier
    now_ms: Callable[[], int]
    is_settled: Callable[[], bool] = lambda: True

    def check(self, token: str) -> Grant | Refused:
        """Return what a token permits now."""
        outcome = self.verifier.verify(token, self.now_ms())
        if isinstance(outcome, Refused) and outcome.by_clock and not self.is_settled():
            reason = f"{outcome.reason} by this machine's clock, which is not checked yet"
            return Refused(reason, may_pass_later=True, by_clock=True)
        return outcome

    def authenticate(self, fields: Mapping[bytes, bytes]) -> Grant | Refused | None:
        """Return what the token in a request's headers permits; None if there is none."""
        token = token_in(fields)
        return None if token is None else self.check(token)


def token_in(fields: Mapping[bytes, bytes]) -> str | None:
    """Return the token in the headers, which are given by lower-case name; None without one.

    `Authorization` counts before `Sec-WebSocket-Protocol`; another scheme than Bearer is no token.
    """
    authorization = fields.get(b"authorization", b"")
    if authorization[: len(_SCHEME)].lower() == _SCHEME:
        return authorization[len(_SCHEME) :].strip().decode("latin-1")
    protocols = fields.get(b"sec-websocket-protocol", b"")
    if BEARER_PROTOCOL not in protocols:
        return None
    offers = (offer.strip() for offer in protocols.split(b","))
    carrier = next((offer for offer in offers if offer.startswith(BEARER_PROTOCOL)), None)
    return None if carrier is None else carrier[len(BEARER_PROTOCOL) :].decode("latin-1")
