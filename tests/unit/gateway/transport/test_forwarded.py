"""What a trusted proxy tells about a request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.forwarded import (
    forwarded_host,
    forwarded_hosts,
    is_forwarded_https,
    is_trusted,
    parse_networks,
)


@pytest.mark.parametrize(
    ("fields", "host"),
    [
        ({}, None),
        ({b"x-forwarded-host": b"pillows.example"}, "pillows.example"),
        ({b"x-forwarded-host": b"a.example:8443, b.internal"}, "a.example:8443"),
        ({b"x-forwarded-host": b""}, None),
        ({b"forwarded": b"for=192.0.2.1;proto=https;host=a.example"}, "a.example"),
        ({b"forwarded": b'for="[::1]"; Host="[2001:db8::1]:8443"'}, "[2001:db8::1]:8443"),
        ({b"forwarded": b"for=1.2.3.4, for=5.6.7.8;host=a.example"}, "a.example"),
        ({b"forwarded": b"host=a", b"x-forwarded-host": b"b"}, "a"),
        ({b"forwarded": b"for=1.2.3.4", b"x-forwarded-host": b"b"}, "b"),
        ({b"forwarded": b'host="unclosed'}, None),
    ],
)
def test_the_host_that_the_first_proxy_was_addressed_as(
    fields: dict[bytes, bytes], host: str | None
) -> None:
    """From `Forwarded`, else from `X-Forwarded-Host`."""
    assert forwarded_host(fields) == host


@pytest.mark.parametrize(
    ("fields", "hosts"),
    [
        ({}, ()),
        ({b"x-forwarded-host": b"a:8443 ,, b"}, ("a:8443", "b")),
        ({b"forwarded": b'for=x;host=a, Host="b\\"c";proto=http, for=y'}, ("a", 'b"c')),
        ({b"forwarded": b"host=a", b"x-forwarded-host": b"b"}, ("a", "b")),
    ],
)
def test_every_host_that_is_named(fields: dict[bytes, bytes], hosts: tuple[str, ...]) -> None:
    """The first proxy's is first."""
    assert forwarded_hosts(fields) == hosts


@pytest.mark.parametrize(
    ("fields", "is_https"),
    [
        ({}, False),
        ({b"x-forwarded-proto": b"HTTPS"}, True),
        ({b"x-forwarded-proto": b"wss"}, True),
        ({b"x-forwarded-proto": b"https, http"}, True),
        ({b"x-forwarded-proto": b"http"}, False),
        ({b"x-forwarded-proto": b""}, False),
        ({b"forwarded": b"for=x;proto=https;host=a"}, True),
        ({b"forwarded": b'proto="http", for=y'}, False),
        ({b"forwarded": b"for=x", b"x-forwarded-proto": b"https"}, True),
        ({b"forwarded": b"proto=http", b"x-forwarded-proto": b"https"}, True),
    ],
)
def test_whether_a_proxy_was_asked_by_https(fields: dict[bytes, bytes], is_https: bool) -> None:
    """What a client sends beside a proxy's header cannot deny it; some proxies say wss."""
    assert is_forwarded_https(fields) == is_https


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("127.0.0.1", True),
        ("::ffff:10.1.2.3", True),
        ("fd00::7", True),
        ("fe80::1%eth0", True),
        ("2001:db8::1", False),
        ("a name", False),
        (None, False),
    ],
)
def test_a_peer_is_trusted_by_its_address(peer: str | None, trusted: bool) -> None:
    """Addresses and networks, IPv4 and IPv6."""
    networks = parse_networks(["10.0.0.0/8", "127.0.0.1", "fd00::/8", "[fe80::1]"])

    assert is_trusted(peer, networks) == trusted
    assert not is_trusted(peer, ())


@given(st.binary(), st.binary(), st.text())
def test_any_header_is_read_without_an_exception(a: bytes, b: bytes, peer: str) -> None:
    """They are chosen by the client."""
    fields = {b"forwarded": a, b"x-forwarded-host": b, b"x-forwarded-proto": b}
    assert forwarded_host(fields) == next(iter(forwarded_hosts(fields)), None)
    is_forwarded_https(fields)
    is_trusted(peer, parse_networks(["10.0.0.0/8"]))
