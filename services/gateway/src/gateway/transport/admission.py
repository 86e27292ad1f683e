"""Admission: whether a request may subscribe, and to what. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from contract.cursors import Cursor, parse_cursor
from contract.frames import (
    BAD_MESSAGE,
    FORBIDDEN,
    FULL,
    MAX_SUBSCRIBED,
    TOO_MANY,
    UNAUTHORIZED,
)
from contract.motion import MOTION_CHOICES
from contract.topics import find_invalid_pillow_id
from gateway.auth.grants import Grant
from gateway.fanout.subscriptions import Filter
from gateway.transport.forwarded import (
    forwarded_host,
    is_forwarded_https,
    is_trusted,
)
from gateway.transport.host_policy import foreign_host
from gateway.transport.origin_policy import (
    browser_says_same_origin,
    is_local_program,
    origin_allowed,
)
from runtime.networks import Network
from runtime.web_host import EVERY_HOST, AllowedHosts, parse_host


@dataclass(frozen=True, slots=True)
class SubscriptionRequest:
    """What a request asks for: the pillows, and the cursor to resume from.

    `has_motion` says whether the states are to have `motion`.
    """

    filter: Filter
    resume_from: Cursor | None
    has_motion: bool = True


class Admission(NamedTuple):
    """A request that is admitted: what it asks for, and what its token permits of that.

    `grant` is None where the gateway asks for no token, and where one is awaited in a message;
    `permitted` is then what was asked for.
    """

    asked: SubscriptionRequest
    grant: Grant | None
    permitted: SubscriptionRequest


ALL_PILLOWS: Final = SubscriptionRequest(None, None)

RETRY_AFTER_S: Final = 5
"""When a client may try again that is refused for now, in seconds, where nothing else is known."""

_STATUSES: Final = {FORBIDDEN: 403, FULL: 503, TOO_MANY: 429, UNAUTHORIZED: 401}


class Refusal(NamedTuple):
    """Why a client is refused: the close code (contract.frames) and a sentence for people.

    `peer` is for the log, where the address matters: it may be that of a proxy inside.
    `retry_after_s` is when a client may try again that is refused for now, in seconds.
    """

    code: int
    reason: str
    peer: str | None = None
    retry_after_s: int = RETRY_AFTER_S

    @property
    def status(self) -> int:
        """The status of a response that tells the client so."""
        return _STATUSES.get(self.code, 400)

    @property
    def is_for_now(self) -> bool:
        """Whether the same request may be admitted later."""
        return self.code in (FULL, TOO_MANY)


@dataclass(frozen=True, slots=True)
class AdmissionPolicy:
    """Which origins may subscribe beside the gateway's own, and how many clients at once.

    What `trusted_proxies` say about the host of a request is believed. `hosts` are answered, and of
    them `https_host` by https only.
    """

    allowed_origins: Sequence[str]
    max_clients: int
    trusted_proxies: Sequence[Network] = ()
    hosts: AllowedHosts = EVERY_HOST
    https_host: str | None = None


def admit(
    policy: AdmissionPolicy,
    clients: int,
    query: bytes,
    fields: Mapping[bytes, bytes],
    peer: str | None = None,
) -> SubscriptionRequest | Refusal:
    """Return what a request subscribes to, or why it is refused.

    `clients` is the number of clients now, `query` the target's query, `fields` the headers by
    lower-case name, and `peer` the address that the request came from.
    """
    foreign = _refusal_of_origin(policy, fields, peer) if b"origin" in fields else None
    if foreign is not None:
        return foreign
    if clients >= policy.max_clients:
        return Refusal(FULL, f"{policy.max_clients} clients are connected already; try again later")
    if not query and b"last-event-id" not in fields:
        return ALL_PILLOWS
    pairs = parse_query(query)
    pillows = [value for name, value in pairs if name == "pillow"]
    since = next((value for name, value in pairs if name == "since"), None)
    motion = next((value for name, value in pairs if name == "motion"), MOTION_CHOICES[0])
    request = parse_subscription(pillows, _text(fields.get(b"last-event-id")) or since, motion)
    return Refusal(BAD_MESSAGE, request) if isinstance(request, str) else request


def parse_query(query: bytes) -> list[tuple[str, str]]:
    """Return the fields of a query; those without escapes, which most are, cost a third."""
    text = query.decode("latin-1")
    if "%" in text or "+" in text:
        return parse_qsl(text, keep_blank_values=True)
    return [
        (name, value) for name, _, value in (one.partition("=") for one in text.split("&") if one)
    ]


def parse_subscription(
    pillows: Sequence[str], since: str | None, motion: str = MOTION_CHOICES[0]
) -> SubscriptionRequest | str:
    """Parse the values of a query; return the request, or a sentence that names what is wrong.

    A cursor that is malformed or of another process is no error: nothing is resumed then.
    """
    if len(pillows) > MAX_SUBSCRIBED:
        return f"{len(pillows)} pillows; name at most {MAX_SUBSCRIBED}, or none for all"
    wrong = find_invalid_pillow_id(pillows)
    if wrong is not None:
        return f"pillow id {wrong[:80]!r} is not valid"
    if motion not in MOTION_CHOICES:
        return f"motion is {motion[:80]!r}; it may be {' or '.join(MOTION_CHOICES)}"
    filter = frozenset(pillows) or None
    return SubscriptionRequest(filter, parse_cursor(since or ""), motion != "none")


def refusal_of_host(
    policy: AdmissionPolicy, fields: Mapping[bytes, bytes], peer: str | None
) -> Refusal | None:
    """Return why a request is not answered under the host that it names; None if it is."""
    foreign = foreign_host(policy.hosts, fields, peer, policy.trusted_proxies)
    if foreign is None:
        return None
    return Refusal(
        FORBIDDEN,
        f"the host {foreign:.80} is not answered here: open this site by its own name, or add "
        "the name to GATEWAY_ALLOWED_HOSTS",
        peer,
    )


def _refusal_of_origin(
    policy: AdmissionPolicy, fields: Mapping[bytes, bytes], peer: str | None
) -> Refusal | None:
    """Return why a page of the request's origin may not subscribe; None if it may."""
    origin, host = fields[b"origin"].decode("latin-1"), _text(fields.get(b"host")) or ""
    forwarded, is_proxied = forwarded_host(fields), is_trusted(peer, policy.trusted_proxies)
    hosts = [host, forwarded] if forwarded is not None and is_proxied else [host]
    is_https = is_proxied and is_forwarded_https(fields)
    if policy.https_host is not None:
        is_https = is_https or policy.https_host in map(parse_host, hosts)
    if (
        origin_allowed(origin, hosts, policy.allowed_origins, is_https=is_https)
        or browser_says_same_origin(fields)
        or (not is_https and is_local_program(origin, host, fields, peer))
    ):
        return None
    if is_https and not origin.startswith("https:"):
        advice = "this site is reached by https://; open its page so"
    elif forwarded is not None and not is_proxied:
        advice = "the proxy in front is not in GATEWAY_TRUSTED_PROXIES"
    else:
        advice = (
            "a proxy must pass the browser's Host on (nginx: proxy_set_header Host $http_host); "
            "pages of other sites must be in GATEWAY_ALLOWED_ORIGINS"
        )
    return Refusal(
        FORBIDDEN,
        f"origin {origin:.80} is not allowed at the host {host[:80] or 'none'}: {advice}",
        peer,
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
