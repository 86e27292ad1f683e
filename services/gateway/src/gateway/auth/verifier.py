"""Verifier: from the text of a token to a grant, by PyJWT."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from gateway.auth.grants import Grant, Refused, grant_of
from gateway.auth.keys import KeySet

MAX_TOKEN_BYTES: Final = 8_192
"""The longest token that is parsed; identity providers stay below it, as most servers limit headers
to that."""

SHARE_AUDIENCE: Final = "pillowcast-share"
"""The audience of a share link's token, so that no other token signed with the key is one."""

_SIGNATURE_ONLY: Final = {
    "verify_signature": True,
    # Times are compared with the gateway's clocks, which know whether the wall clock is right.
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must have: one of the algorithms; issuer and audience where they are set."""

    algorithms: tuple[str, ...]
    issuer: str | None = None
    audience: str | None = None
    leeway_ms: int = 30_000


class TokenVerifier:
    """Checks tokens with the keys that are known now."""

    def __init__(
        self,
        rules: TokenRules,
        keys: Callable[[], KeySet],
        share_keys: KeySet,
        is_revoked: Callable[[str], bool | None],
        on_unknown_key: Callable[[str | None], bool],
    ) -> None:
        """`keys` gives the keys at each check, `share_keys` are those of share links.

        `is_revoked` tells of a share link's id whether it was revoked; None if that is not known.
        `on_unknown_key` is called with the id of a key that is not known; it returns whether
        the keys are being fetched anew, so that the token may pass later.
        """
        self._rules = rules
        self._keys = keys
        self._share_keys = share_keys
        self._is_revoked = is_revoked
        self._on_unknown_key = on_unknown_key

    def verify(self, token: str, now_ms: int) -> Grant | Refused:
        """Return what a token permits at this time, in Unix milliseconds; never raises."""
        if not token:
            return Refused("a token is needed")
        if len(token) > MAX_TOKEN_BYTES:
            return Refused(f"the token has {len(token)} characters; the limit is {MAX_TOKEN_BYTES}")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            return Refused("this is no JSON Web Token")
        share = self._verify_share(token, header, now_ms)
        return share if share is not None else self._verify_token(token, header, now_ms)

    def _verify_share(
        self, token: str, header: Mapping[str, Any], now_ms: int
    ) -> Grant | Refused | None:
        """Return what a share link's token permits; None if it is not signed as one."""
        for key in self._share_keys.candidates(str(header.get("alg")), None):
            try:
                claims = jwt.decode(
                    token,
                    key.key,
                    algorithms=[key.algorithm],
                    audience=SHARE_AUDIENCE,
                    options=_SIGNATURE_ONLY,  # type: ignore[arg-type]
                )
            except (jwt.PyJWTError, ValueError, RecursionError):
                continue
            share = claims.get("jti")
            if not isinstance(share, str):
                return Refused("the share link has no id")
            is_revoked = self._is_revoked(share)
            if is_revoked:
                return Refused("this share link was revoked")
            outcome = grant_of(claims, now_ms=now_ms, leeway_ms=0, share=share)
            if is_revoked is None and isinstance(outcome, Grant):
                reason = "it is not known yet which share links were revoked; try again later"
                return Refused(reason, may_pass_later=True)
            return outcome
        return None

    def _verify_token(self, token: str, header: Mapping[str, Any], now_ms: int) -> Grant | Refused:
        algorithm = header.get("alg")
        if algorithm not in self._rules.algorithms:
            return Refused("the token's algorithm is not one of GATEWAY_JWT_ALGORITHMS")
        candidates = self._keys().candidates(algorithm, header.get("kid"))
        if not candidates:
            return Refused(
                "no key is known for this token", self._on_unknown_key(header.get("kid"))
            )
        refused = Refused("the token's signature is not valid")
        for key in candidates:
            try:
                claims = jwt.decode(
                    token,
                    key.key,
                    algorithms=[algorithm],
                    issuer=self._rules.issuer,
                    audience=self._rules.audience,
                    options=self._options,  # type: ignore[arg-type]
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.InvalidIssuerError:
                return Refused("the token is from another issuer than GATEWAY_JWT_ISSUER")
            except jwt.InvalidAudienceError:
                return Refused("the token is for another audience than GATEWAY_JWT_AUDIENCE")
            except (jwt.PyJWTError, ValueError, RecursionError, TypeError) as error:
                refused = Refused(f"the token cannot be used: {type(error).__name__}")
                continue
            if claims.get("aud") == SHARE_AUDIENCE:
                return Refused("a share link's token is not signed with the key of share links")
            return grant_of(claims, now_ms=now_ms, leeway_ms=self._rules.leeway_ms)
        return refused

    @property
    def _options(self) -> dict[str, Any]:
        required = [
            name
            for name, value in (("iss", self._rules.issuer), ("aud", self._rules.audience))
            if value is not None
        ]
        return {
            **_SIGNATURE_ONLY,
            "verify_aud": self._rules.audience is not None,
            "verify_iss": self._rules.issuer is not None,
            "require": required,
        }
