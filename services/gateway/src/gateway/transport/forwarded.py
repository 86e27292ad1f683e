"""Forwarded requests: the host that a browser addressed, as a trusted proxy tells it. Pure."""

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network

_FORWARDED_HOST: Final = re.compile(
    r'(?:^|[;,])\s*host=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^\s;,"]+))', re.IGNORECASE
)


def parse_networks(names: Sequence[str]) -> tuple[Network, ...]:
    """Return the networks that addresses and networks like 10.0.0.0/8 name.

    Raises ValueError for a name that is neither.
    """
    return tuple(ip_network(name.strip("[]"), strict=False) for name in names)


def is_trusted(peer: str | None, networks: Sequence[Network]) -> bool:
    """Return whether a peer's address is in one of the networks; a name or None never is."""
    if peer is None or not networks:
        return False
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


def forwarded_host(fields: Mapping[bytes, bytes]) -> str | None:
    """Return the host that the first proxy was addressed as; None if no header tells it.

    `Forwarded` (RFC 7239) is preferred to `X-Forwarded-Host`.
    """
    found = _FORWARDED_HOST.search(fields.get(b"forwarded", b"").decode("latin-1"))
    if found is not None:
        return found["token"] or re.sub(r"\\(.)", r"\1", found["quoted"])
    host = fields.get(b"x-forwarded-host", b"").decode("latin-1").partition(",")[0].strip()
    return host or None
