"""Which address a request comes from, as far as trusted proxies vouch for it."""

from ipaddress import ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.transport.client_address import (
    MAX_HOPS,
    client_address,
    is_nearby,
    parse_address,
)
from gateway.transport.forwarded import joined_lists, parse_networks

PROXIES = parse_networks(("127.0.0.1", "10.0.0.0/8", "fd00::/8"))
PEER = ip_address("127.0.0.1")
CLIENT = "203.0.113.7"

addresses = st.ip_addresses().map(str)
garbage = st.text(
    st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=60
) | st.sampled_from(["unknown", "_hidden", '"', "[", "for=", 'for="', "999.1.1.1", "::1::", ",,"])


def of_list(value: str, peer: str = "127.0.0.1") -> str:
    """Return the address that `X-Forwarded-For` gives a request of a peer."""
    return _address(b"x-forwarded-for", value, peer)


def of_forwarded(value: str, peer: str = "127.0.0.1") -> str:
    """Return the address that `Forwarded` gives a request of a peer."""
    return _address(b"forwarded", value, peer)


def _address(name: bytes, value: str, peer: str) -> str:
    fields = {name: value.encode("latin-1")}
    return str(client_address(ip_address(peer), fields, PROXIES))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.7", CLIENT),
        (" 203.0.113.7 ", CLIENT),
        ("203.0.113.7:443", CLIENT),
        ('"203.0.113.7:443"', CLIENT),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ('"[2001:db8::1]:443"', "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%eth0]:1", "fe80::1"),
        ("::ffff:203.0.113.7", CLIENT),
        ("[::ffff:203.0.113.7]:1", CLIENT),
    ],
)
def test_an_address_is_parsed_with_port_brackets_and_quotes(text: str, address: str) -> None:
    """As proxies write it; an IPv4 address in the form of an IPv6 one is that IPv4 address."""
    assert parse_address(text) == ip_address(address)


@pytest.mark.parametrize(
    "text",
    [
        *("", "unknown", "_hidden", "_SEVKISEK", "localhost", "1.2.3", "1.2.3.4.5", "01.2.3.4"),
        *("[2001:db8::1", "2001:db8::1]", "[2001:db8::1]443", "[203.0.113.7", "1" * 5000),
        *("for=1.2.3.4", "203.0.113.7, 203.0.113.8", "\0", "²03.0.113.7"),
    ],
)
def test_anything_else_is_no_address(text: str) -> None:
    """Not even a part of it."""
    assert parse_address(text) is None


@given(garbage | st.text())
def test_no_text_makes_parsing_fail(text: str) -> None:
    """Clients write it."""
    parse_address(text)


def test_a_peer_that_is_not_trusted_is_the_client_whatever_it_says() -> None:
    """Any client can send the headers."""
    for peer in (CLIENT, "2001:db8::1", "192.168.0.1"):
        assert of_list("198.51.100.1", peer) == peer
        assert of_forwarded("for=198.51.100.1", peer) == peer


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (CLIENT, CLIENT),
        (f"198.51.100.1, {CLIENT}", CLIENT),
        (f"198.51.100.1, {CLIENT}, 10.0.0.9, 10.1.2.3", CLIENT),
        (f"unknown,{CLIENT},10.0.0.9", CLIENT),
        ("198.51.100.1, unknown", "127.0.0.1"),
        ("198.51.100.1, unknown, 10.0.0.9", "10.0.0.9"),
        ("198.51.100.1, _hidden", "127.0.0.1"),
        ("198.51.100.1,", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("10.0.0.9, 10.0.0.8", "10.0.0.9"),
        ("::ffff:10.0.0.9", "10.0.0.9"),
        (f"[2001:db8::1]:80, {CLIENT}:4711, [fd00::1]:9", CLIENT),
    ],
)
def test_the_list_is_read_from_its_end_as_far_as_proxies_are_trusted(
    value: str, address: str
) -> None:
    """What stands before the first address that is no trusted proxy was written by a client."""
    assert of_list(value) == address


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (f"for={CLIENT}", CLIENT),
        (f"For={CLIENT};Proto=https;By=10.0.0.1", CLIENT),
        (f"proto=https; host=x ;for={CLIENT}", CLIENT),
        (f'for="{CLIENT}:4711"', CLIENT),
        ('for="[2001:db8::1]:4711"', "2001:db8::1"),
        ('for="[2001:db8::1]"', "2001:db8::1"),
        (f"for=198.51.100.1, for={CLIENT}", CLIENT),
        (f'for=198.51.100.1, for={CLIENT};host="a,b", for=10.0.0.9', CLIENT),
        ('for="198.51.100.1, for=203.0.113.7', CLIENT),
        (f'host="x;for=198.51.100.1";for={CLIENT}', CLIENT),
        (f'for={CLIENT};host="x, for=198.51.100.1"', CLIENT),
        ('for="203.0.113\\.7"', CLIENT),
        ("for=unknown", "127.0.0.1"),
        ("for=198.51.100.1, for=unknown", "127.0.0.1"),
        ("for=198.51.100.1, for=_gazonk", "127.0.0.1"),
        ("for=198.51.100.1, proto=https", "127.0.0.1"),
        ("for=198.51.100.1,", "127.0.0.1"),
        ('for=198.51.100.1, for="', "127.0.0.1"),
        ("198.51.100.1", "127.0.0.1"),
        ("by=198.51.100.1", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_a_forwarded_header_is_read_the_same_way(value: str, address: str) -> None:
    """Also where a client left quotes open, or put a second address into them."""
    assert of_forwarded(value) == address


def test_x_forwarded_for_is_preferred() -> None:
    """A proxy that sets it passes a client's own Forwarded on."""
    fields = {b"x-forwarded-for": CLIENT.encode(), b"forwarded": b"for=198.51.100.1"}

    assert str(client_address(PEER, fields, PROXIES)) == CLIENT


def test_a_repeated_header_is_one_list() -> None:
    """haproxy appends a second one to that of the client."""
    headers = [
        (b"x-forwarded-for", b"198.51.100.1"),
        (b"host", b"x"),
        (b"x-forwarded-for", CLIENT.encode()),
        (b"x-forwarded-for", b"10.0.0.9"),
    ]

    assert str(client_address(PEER, joined_lists(headers), PROXIES)) == CLIENT


def test_a_peer_without_an_address_has_none() -> None:
    """As on a Unix socket."""
    assert client_address(None, {b"x-forwarded-for": b"1.2.3.4"}, PROXIES) is None


def test_as_many_hops_are_read_as_may_be() -> None:
    """A longer chain ends at the last address that was read."""
    chain = [f"10.0.0.{n}" for n in range(MAX_HOPS + 5)]

    assert of_list(",".join([CLIENT, *chain])) == chain[5]


@given(st.lists(garbage | addresses, max_size=5), addresses)
@example(['for="'], "203.0.113.7")
def test_nothing_that_a_client_writes_hides_its_address(written: list[str], own: str) -> None:
    """Its proxy appends the address behind that, in the same line or in another one."""
    node = f'"[{own}]"' if ":" in own else own
    expected = str(parse_address(own))
    for name, before, appended in (
        (b"x-forwarded-for", ", ".join(written), own),
        (b"forwarded", ", ".join(written), f"for={node}"),
    ):
        peer = ip_address("10.9.9.9")
        one = {name: f"{before}, {appended}".encode("latin-1")}
        two = [(name, before.encode("latin-1")), (name, appended.encode())]
        found = {
            str(client_address(peer, one, PROXIES)),
            str(client_address(peer, joined_lists(two), PROXIES)),
        }
        if not any(ip_address(expected) in network for network in PROXIES):
            assert found == {expected}


@given(st.sampled_from([b"x-forwarded-for", b"forwarded"]), st.lists(garbage, max_size=40))
def test_a_header_never_fails(name: bytes, pieces: list[str]) -> None:
    """Whatever is in it, and it is a trusted proxy's."""
    fields = {name: ",".join(pieces).encode("latin-1")}

    assert client_address(PEER, fields, PROXIES) is not None


@pytest.mark.parametrize(
    ("address", "nearby"),
    [
        *((one, True) for one in ("127.0.0.1", "::1", "10.1.2.3", "172.18.0.1", "192.168.1.1")),
        *((one, True) for one in ("fd12::1", "fe80::1", "169.254.1.1", "100.64.0.1")),
        *((one, False) for one in (CLIENT, "8.8.8.8", "2001:db8::1", "172.32.0.1", "2600::1")),
    ],
)
def test_loopback_and_private_networks_are_nearby(address: str, *, nearby: bool) -> None:
    """One address may bring every client there."""
    assert is_nearby(ip_address(address)) is nearby
