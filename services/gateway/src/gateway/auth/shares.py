"""Share links: signed tokens that name pillows, and the records by which they are listed. Pure."""

import re
from dataclasses import dataclass
from typing import Any, Final

import jwt
import msgspec

from contract.shares import ShareRecord
from gateway.auth.scope import Scope
from gateway.auth.verifier import SHARE_AUDIENCE

_ID: Final = re.compile(r"[a-z0-9]{16}")

_DURATION: Final = re.compile(r"([1-9][0-9]{0,5})\s*(m|h|d|w)")
_UNIT_S: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}

MAX_DURATION_S: Final = 10 * 366 * 86_400
"""The longest time of a link with an end: ten years."""


@dataclass(frozen=True, slots=True)
class Share:
    """A new share link: its record and its token."""

    record: ShareRecord
    token: str


def is_share_id(text: str) -> bool:
    """Return whether `text` can be the id of a share link."""
    return _ID.fullmatch(text) is not None


def make_share(
    share_id: str, scope: Scope, key: str, *, now_s: int, lasts_s: int | None, note: str = ""
) -> Share:
    """Return a new share link for a scope; `lasts_s` is None for one that never expires."""
    expires = None if lasts_s is None else now_s + lasts_s
    record = ShareRecord(share_id, scope.patterns, now_s, expires, note)
    claims: dict[str, Any] = {"aud": SHARE_AUDIENCE, "jti": share_id, "pillows": scope.patterns}
    if expires is not None:
        claims["exp"] = expires
    return Share(record, jwt.encode(claims, key, algorithm="HS256"))


def parse_record(payload: bytes) -> ShareRecord | None:
    """Return the record that is on a topic; None if it is none."""
    try:
        return msgspec.json.decode(payload, type=ShareRecord)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def parse_duration(text: str) -> int:
    """Return the seconds of `30m`, `12h`, `7d` or `2w`. Raises ValueError."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f"{text!r} is no duration; write 30m, 12h, 7d or 2w")
    seconds = int(match[1]) * _UNIT_S[match[2]]
    if seconds > MAX_DURATION_S:
        raise ValueError(f"{text!r} is above ten years; --forever is for a link without an end")
    return seconds
