"""Addresses, and networks in settings: an address, or a range of them. Pure."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


def address_of(text: str) -> Address | None:
    """Return the address that a text is, None for any other text.

    An IPv4 address in the form of an IPv6 one is returned as IPv4, and a zone (%eth0) is dropped.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_in(address: Address, networks: Sequence[Network]) -> bool:
    """Return whether an address is in one of the networks."""
    return any(address in network for network in networks)


def parse_network(name: str) -> Network:
    """Return the network that an address, or a network like 10.0.0.0/8, names.

    Raises ValueError, with a sentence that names it.
    """
    try:
        return ip_network(name.strip("[]"), strict=False)
    except ValueError:
        raise ValueError(
            f"{name!r} is no address or network: like 10.0.0.7, 10.0.0.0/8 or fd00::/8"
        ) from None
