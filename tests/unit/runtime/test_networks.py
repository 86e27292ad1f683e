"""Networks in settings."""

from ipaddress import ip_network

import pytest

from runtime.networks import parse_network


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("10.0.0.7", "10.0.0.7/32"),
        ("10.0.0.7/8", "10.0.0.0/8"),
        ("fd00::1", "fd00::1/128"),
        ("[fe80::1]", "fe80::1/128"),
    ],
)
def test_a_network_is_an_address_or_a_range(name: str, network: str) -> None:
    """IPv6 may have the brackets that it has in a URL."""
    assert parse_network(name) == ip_network(network)


@pytest.mark.parametrize("name", ["", "proxy", "10.0.0", "10.0.0.0/33", "*"])
def test_anything_else_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=r"is no address or network"):
        parse_network(name)
