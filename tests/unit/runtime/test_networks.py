"""Addresses, and networks in settings."""

from ipaddress import ip_address, ip_network

import pytest

from runtime.networks import address_of, is_in, parse_network


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


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("::1", "::1"),
    ],
)
def test_an_address_has_one_form(text: str, address: str) -> None:
    """Systems name an IPv4 peer of an IPv6 socket as IPv6, and a link-local one with its zone."""
    assert address_of(text) == ip_address(address)


@pytest.mark.parametrize("text", ["", "localhost", "10.0.0", "10.0.0.7:80", "[::1]"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert address_of(text) is None


def test_an_address_is_in_a_network_of_its_own_version() -> None:
    networks = [parse_network("10.0.0.0/8"), parse_network("fd00::/8")]

    assert is_in(ip_address("10.1.2.3"), networks)
    assert is_in(ip_address("fd00::1"), networks)
    assert not is_in(ip_address("11.0.0.1"), networks)
    assert not is_in(ip_address("::1"), networks)
