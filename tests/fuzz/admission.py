"""Admission: query, cursor, Host, Origin and what proxies forward; a request or a sentence."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from contract.cursors import parse_cursor
from contract.frames import BAD_MESSAGE, FORBIDDEN, FULL, MAX_SUBSCRIBED
from contract.topics import is_pillow_id
from gateway.transport.admission import (
    AdmissionPolicy,
    Refusal,
    SubscriptionRequest,
    admit,
    refusal_of_host,
)
from gateway.transport.client_address import MAX_HOPS, client_address, parse_address
from gateway.transport.forwarded import forwarded_host, is_trusted, parse_networks
from gateway.transport.origin_policy import origin_allowed
from runtime.web_host import AllowedHosts
from tests.fuzz.byte_source import ByteSource

MAX_BYTES = 4096

POLICIES = (
    AdmissionPolicy((), 10),
    AdmissionPolicy(("https://a.example",), 10, parse_networks(["10.0.0.0/8", "::1"])),
    AdmissionPolicy(("*",), 10),
    AdmissionPolicy(
        (),
        10,
        parse_networks(["10.0.0.0/8"]),
        AllowedHosts(frozenset({"a.example"}), (".b.example",)),
        "a.example",
    ),
)
OWN_NAME = re.compile(r"a\.example|(.+\.)?b\.example|(.+\.)?localhost")

PEERS = (None, "10.1.2.3", "::ffff:10.1.2.3", "fe80::1%eth0", "192.0.2.1")
CONTROLS = bytes((*range(0x20), 0x7F))
"""What the request parser lets no header have."""

NAMES = (
    b"origin",
    b"host",
    b"forwarded",
    b"x-forwarded-host",
    b"last-event-id",
    b"sec-fetch-site",
    b"x-forwarded-for",
    b"x-forwarded-proto",
)


def check(data: bytes) -> None:
    """Admit a request: policy, peer, query, then headers by number, each with its length."""
    source = ByteSource(data)
    policy, peer = source.choice(POLICIES), source.choice(PEERS)
    query = source.piece()
    fields = {}
    while source:
        name = source.choice(NAMES)
        fields[name] = source.piece().translate(None, CONTROLS).strip()
    outcome = admit(policy, 3, query, fields, peer)
    if isinstance(outcome, Refusal):
        assert outcome.code in (BAD_MESSAGE, FORBIDDEN, FULL)
        assert len(outcome.reason) < 1000, "a reason is a sentence"
    else:
        _check_request(outcome)
    forwarded_host(fields)
    _check_origin(fields)
    _check_address(policy, fields, peer)
    foreign = refusal_of_host(policy, fields, peer)
    if foreign is None and not policy.hosts.everything and b"host" in fields:
        assert is_trusted(peer, policy.trusted_proxies) or _is_own(fields[b"host"])


def seeds() -> Iterator[bytes]:
    """Yield requests of pages behind proxies and without, and odd queries."""
    yield _request(0, 0, b"pillow=cloud-1&pillow=cloud-2&since=ep:12")
    yield _request(
        1, 1, b"", origin=b"https://a.example:443", host=b"inner:8080", forwarded=b"host=a.example"
    )
    yield _request(
        1, 2, b"", origin=b"http://[::1]:80", host=b"[::1]", forwarded=b'for=x;host="a\\"b"'
    )
    yield _request(1, 4, b"since=%c3%28", origin=b"null", host=b"a", x_forwarded_host=b"a, b")
    yield _request(2, 3, b"pillow=&pillow=bridge;a=%00", last_event_id=b"ep:999999999999999999")
    yield _request(0, 0, b"", origin=b"http://a:99999", host=b"a@b", sec_fetch_site=b"same-origin")
    yield _request(0, 0, b"", origin=b"http://[x", host=b"[x")
    yield _request(3, 4, b"", origin=b"http://evil.example", host=b"evil.example")
    yield _request(3, 1, b"", host=b"10.0.0.9", forwarded=b"host=x.b.example;proto=https,host=evil")
    yield _request(3, 4, b"", origin=b"http://a.example", host=b"A.example.:443")
    yield _request(3, 4, b"", host=b"[fe80::1%25eth0]:80", x_forwarded_proto=b"https, http")
    yield _request(
        1, 1, b"", host=b"a", x_forwarded_for=b"192.0.2.9, 10.0.0.7:80,[::ffff:10.1.1.1]"
    )
    yield _request(1, 2, b"", host=b"a", forwarded=b'for="[2001:db8::1]:4711";by=x, for=_hidden')
    yield _request(
        1, 1, b"", host=b"a", forwarded=b'for="a,for=10.0.0.2', x_forwarded_for=b"unknown"
    )
    yield _request(3, 4, b"", host=b"127.1", x_forwarded_host=b"a.example")


def _request(policy: int, peer: int, query: bytes, **fields: bytes) -> bytes:
    data = bytes((policy, peer, len(query))) + query
    for name, value in fields.items():
        number = NAMES.index(name.replace("_", "-").encode())
        data += bytes((number, len(value))) + value
    return data


def _check_request(request: SubscriptionRequest) -> None:
    if isinstance(request.filter, frozenset):
        assert 0 < len(request.filter) <= MAX_SUBSCRIBED
        assert all(map(is_pillow_id, request.filter))
    cursor = request.resume_from
    assert cursor is None or parse_cursor(str(cursor)) == cursor


def _check_address(policy: AdmissionPolicy, fields: dict[bytes, bytes], peer: str | None) -> None:
    """Only a trusted proxy is believed, and only what stands behind trusted ones in the list."""
    own = parse_address(peer or "")
    address = client_address(own, fields, policy.trusted_proxies)
    if own is None or not is_trusted(peer, policy.trusted_proxies):
        assert address == own, "a client says who it is"
    elif b"x-forwarded-for" in fields:
        expected = own
        listed = fields[b"x-forwarded-for"].decode("latin-1").split(",")
        for named in map(parse_address, listed[: -MAX_HOPS - 1 : -1]):
            if named is None or not is_trusted(str(expected), policy.trusted_proxies):
                break
            expected = named
        assert address == expected


def _is_own(host: bytes) -> bool:
    """Return whether a host is one that no other site can have, by another parser."""
    name = (urlsplit(f"//{host.decode('latin-1')}").hostname or "").removesuffix(".")
    try:
        return bool(ip_address(name.partition("%")[0]))
    except ValueError:
        return OWN_NAME.fullmatch(name) is not None


def _check_origin(fields: dict[bytes, bytes]) -> None:
    """An origin that is allowed by its host alone has that host's name in it."""
    origin = fields.get(b"origin", b"").decode("latin-1")
    host = fields.get(b"host", b"").decode("latin-1")
    if origin_allowed(origin, [host], ()):
        scheme, _, site = origin.lower().partition("://")
        assert scheme in ("http", "https")
        if site != host.lower():
            assert urlsplit(f"//{site}").hostname == urlsplit(f"//{host}").hostname
