"""Admission: whether a request may subscribe, and to what. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from contract.cursors import Cursor, parse_cursor
from contract.frames import BAD_MESSAGE, FORBIDDEN, FULL, MAX_SUBSCRIBED
from contract.topics import is_pillow_id
from gateway.fanout.subscriptions import Filter
from gateway.transport.origin_policy import origin_allowed


@dataclass(frozen=True, slots=True)
class SubscriptionRequest:
    """What a request asks for: the pillows, and the cursor to resume from."""

    filter: Filter
    resume_from: Cursor | None


ALL_PILLOWS: Final = SubscriptionRequest(None, None)


class Refusal(NamedTuple):
    """Why a client is refused: the close code (contract.frames) and a sentence for people."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class AdmissionPolicy:
    """Which origins may subscribe beside the gateway's own, and how many clients at once."""

    allowed_origins: Sequence[str]
    max_clients: int


def admit(
    policy: AdmissionPolicy, clients: int, query: bytes, fields: Mapping[bytes, bytes]
) -> SubscriptionRequest | Refusal:
    """Return what a request subscribes to, or why it is refused.

    `clients` is the number of clients now, `query` the target's query, `fields` the headers by
    lower-case name.
    """
    origin = _text(fields.get(b"origin"))
    if origin is not None and not origin_allowed(
        origin, _text(fields.get(b"host")), policy.allowed_origins
    ):
        return Refusal(
            FORBIDDEN, f"origin {origin:.80} is not allowed; see GATEWAY_ALLOWED_ORIGINS"
        )
    if clients >= policy.max_clients:
        return Refusal(FULL, f"{policy.max_clients} clients are connected already; try again later")
    if not query and b"last-event-id" not in fields:
        return ALL_PILLOWS
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else ()
    pillows = [value for name, value in pairs if name == "pillow"]
    since = next((value for name, value in pairs if name == "since"), None)
    request = parse_subscription(pillows, _text(fields.get(b"last-event-id")) or since)
    return Refusal(BAD_MESSAGE, request) if isinstance(request, str) else request


def parse_subscription(pillows: Sequence[str], since: str | None) -> SubscriptionRequest | str:
    """Parse the values of a query; return the request, or a sentence that names what is wrong.

    A cursor that is malformed or of another process is no error: nothing is resumed then.
    """
    if len(pillows) > MAX_SUBSCRIBED:
        return f"{len(pillows)} pillows; name at most {MAX_SUBSCRIBED}, or none for all"
    wrong = next((name for name in pillows if not is_pillow_id(name)), None)
    if wrong is not None:
        return f"pillow id {wrong[:80]!r} is not valid"
    return SubscriptionRequest(frozenset(pillows) or None, parse_cursor(since or ""))


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
