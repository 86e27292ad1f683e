"""Client address: whom a request comes from, as far as trusted proxies vouch for it. Pure.

Each proxy appends the address of its own peer, so the list is read from its end: an address counts
if a trusted proxy named it, and what stands before the first other one was written by a client.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Final

from runtime.networks import Address, Network, address_of, is_in

MAX_HOPS: Final = 16
"""How many proxies may stand behind each other; what they name beyond that is not read."""

_MAX_NODE_CHARS: Final = 64

_NEARBY: Final = tuple(
    map(
        ip_network,
        (
            *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
            *("100.64.0.0/10", "::1/128", "fc00::/7", "fe80::/10"),
        ),
    )
)
"""Loopback and private networks, where one address may be a proxy's that nobody told us about."""

_PAIR: Final = re.compile(
    r"""\s*(?P<name>[^\s=;,"]+)\s*=\s*(?P<value>"(?:[^"\\]|\\.)*"|[^\s;,"]*)\s*(?:;|$)"""
)


def parse_address(text: str) -> Address | None:
    """Parse an address as a system or a proxy names it: also with a port, in brackets, or quoted.

    None stands for anything else: `unknown`, an obfuscated name, no address at all.
    """
    host = text.strip()[:_MAX_NODE_CHARS].strip('"')
    if host.startswith("["):
        host, closing, port = host[1:].partition("]")
        if not closing or (port and port[0] != ":"):
            return None
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    return address_of(host)


def client_address(
    peer: Address | None,
    fields: Mapping[bytes, bytes],
    trusted: Sequence[Network],
) -> Address | None:
    """Return the address nearest to the client that a chain of trusted proxies vouches for.

    `fields` are the headers by name, a repeated one as one list. The peer's own address is returned
    where it is not trusted, or where it names none.
    """
    address = peer
    if address is None or not is_in(address, trusted):
        return address
    for node in _nodes_from_the_end(fields):
        named = parse_address(node)
        if named is None:
            break
        address = named
        if not is_in(address, trusted):
            break
    return address


def is_nearby(address: Address) -> bool:
    """Return whether an address is of this machine or of a private network."""
    return is_in(address, _NEARBY)


def _nodes_from_the_end(fields: Mapping[bytes, bytes]) -> Iterator[str]:
    """Yield what the proxies named, that of the nearest one first.

    `X-Forwarded-For` is preferred, because proxies that set it pass a client's own `Forwarded` on.
    """
    for name, nodes in ((b"x-forwarded-for", _of_list), (b"forwarded", _of_forwarded)):
        if name in fields:
            yield from nodes(fields[name].decode("latin-1"))
            return


def _of_list(value: str) -> Iterator[str]:
    yield from reversed(value.rsplit(",", MAX_HOPS)[-MAX_HOPS:])


def _of_forwarded(value: str) -> Iterator[str]:
    """Yield the `for` of each element of a `Forwarded` header (RFC 7239), from its end.

    A comma in quotes does not end an element. Read from the end, quotes that a client left open
    cannot hide what a proxy appended to them.
    """
    element = ""
    for piece in reversed(value.rsplit(",", MAX_HOPS)[-MAX_HOPS:]):
        element = f"{piece},{element}" if element else piece
        if element.count('"') % 2 == 0:
            yield _for_of(element)
            element = ""


def _for_of(element: str) -> str:
    """Return the node of an element; an empty text if it has none, or is malformed."""
    position = 0
    while (pair := _PAIR.match(element, position)) is not None and pair.end() > position:
        if pair["name"].lower() == "for":
            return re.sub(r"\\(.)", r"\1", pair["value"])
        position = pair.end()
    return ""
