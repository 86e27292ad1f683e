"""Under which URL people open the gateway."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.public_address import public_address
from gateway.transport.forwarded import parse_networks

PROXIES = parse_networks(("10.0.0.0/8",))
PUBLIC = "https://clouds.example.org/pillows/"


@pytest.mark.parametrize(
    ("configured", "headers", "peer", "address"),
    [
        ("", {"host": "clouds.example"}, "1.2.3.4", "http://clouds.example/"),
        ("", {"host": "[::1]:8080"}, "::1", "http://[::1]:8080/"),
        ("", {}, None, None),
        ("", {"host": 'a"><script>'}, "1.2.3.4", None),
        (PUBLIC, {"host": "anything"}, "1.2.3.4", PUBLIC),
        (PUBLIC, {}, None, PUBLIC),
        # That of docker compose, where nothing else is set.
        ("http://localhost:8080/", {"host": "127.0.0.1:80"}, "::1", "http://localhost:8080/"),
        ("http://localhost:8080/", {"host": "tv.lan:8080"}, "10.0.0.9", "http://tv.lan:8080/"),
        (
            "",
            {"host": "gateway", "x-forwarded-host": "a.example", "x-forwarded-proto": "https"},
            "10.0.0.1",
            "https://a.example/",
        ),
        (
            "",
            {"host": "gateway", "forwarded": 'proto=https;host="a.example:8443"'},
            "10.0.0.1",
            "https://a.example:8443/",
        ),
        # A proxy that is not trusted, or a client that says it is one.
        (
            "",
            {"host": "b.example", "x-forwarded-host": "a.example", "x-forwarded-proto": "https"},
            "1.2.3.4",
            "http://b.example/",
        ),
    ],
)
def test_the_setting_goes_first_then_a_trusted_proxy_then_the_host(
    configured: str, headers: dict[str, str], peer: str | None, address: str | None
) -> None:
    """A setting for this machine only does not hold for others."""
    given = [(name.encode(), value.encode()) for name, value in headers.items()]

    assert public_address(configured, given, peer, PROXIES) == address


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_no_header_makes_anything_but_an_address(host: bytes, forwarded: bytes) -> None:
    """They are the client's."""
    headers = [(b"host", host), (b"x-forwarded-host", forwarded)]
    address = public_address("", headers, "10.0.0.1", PROXIES)

    assert address is None or (address.startswith("http") and not set(address) & set("\"'<>&? "))
