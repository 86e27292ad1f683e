"""Grant: what a token that was checked permits; and why another one was refused. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from contract.json_limits import abbreviated
from gateway.auth.scope import EVERYTHING, Scope, parse_scope

MAX_TIME_S: Final = 2**40
"""The largest time that a claim may have, in Unix seconds, so that arithmetic stays exact."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The pillows that a client may see, and until when.

    `expires_ms` is in Unix milliseconds, with the leeway in it; None for a share link that never
    expires. `share` is the id of the share link that the token is from; None for other tokens.
    """

    scope: Scope
    expires_ms: int | None
    share: str | None = None


class Refused(NamedTuple):
    """A token that permits nothing, in a sentence for people; it quotes nothing of the token.

    `may_pass_later` says that the same token could be accepted in some seconds, because the keys
    that it could be signed with are being fetched, or because the time is not known well yet.
    `by_clock` says that the token is refused for the time it is.
    """

    reason: str
    may_pass_later: bool = False
    by_clock: bool = False


class Validity(NamedTuple):
    """The time that a token is valid: both in Unix milliseconds; None where it has no end."""

    from_ms: int
    until_ms: int | None


def grant_of(
    claims: Mapping[str, Any], *, now_ms: int, leeway_ms: int, share: str | None = None
) -> Grant | Refused:
    """Return what the claims of a token permit whose signature, issuer and audience are right.

    A token of a share link may lack `exp`, every other one must have it. A token without `pillows`
    is good for all, a share link's token must name them.
    """
    validity = _validity(claims, is_end_required=share is None)
    if isinstance(validity, Refused):
        return validity
    if now_ms < validity.from_ms - leeway_ms:
        return Refused(
            f"the token is not valid before {_seconds(validity.from_ms - now_ms)} from now",
            by_clock=True,
        )
    until_ms = None if validity.until_ms is None else validity.until_ms + leeway_ms
    if until_ms is not None and now_ms >= until_ms:
        expired = _seconds(now_ms - until_ms + leeway_ms)
        return Refused(f"the token expired {expired} ago", by_clock=True)
    if "pillows" not in claims and share is None:
        return Grant(EVERYTHING, until_ms)
    scope = parse_scope(claims.get("pillows"))
    return Refused(scope) if isinstance(scope, str) else Grant(scope, until_ms, share)


def _validity(claims: Mapping[str, Any], *, is_end_required: bool) -> Validity | Refused:
    times: dict[str, int | None] = {}
    for name in ("nbf", "exp"):
        value = claims.get(name)
        if value is None:
            times[name] = None
            continue
        # A Boolean is an int, NaN and infinity are floats; the comparison refuses the latter two.
        if isinstance(value, bool) or not isinstance(value, int | float):
            return Refused(f"the claim {name} is {abbreviated(value)}; it must be Unix seconds")
        if not 0 <= value <= MAX_TIME_S:
            return Refused(f"the claim {name} is {abbreviated(value)}; it is out of range")
        times[name] = round(value * 1000)
    if times["exp"] is None and is_end_required:
        return Refused("the token has no claim exp, so it would never expire")
    return Validity(times["nbf"] or 0, times["exp"])


def _seconds(duration_ms: int) -> str:
    return f"{duration_ms / 1000:.0f} s"
