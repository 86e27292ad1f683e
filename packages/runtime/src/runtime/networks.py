"""Networks in settings: an address, or a range of them. Pure."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network


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
