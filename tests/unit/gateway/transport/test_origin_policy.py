"""Which origins may subscribe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.origin_policy import (
    browser_says_same_origin,
    is_local_program,
    origin_allowed,
)

HOST = "pillows.example:8080"
CHROMIUM = b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://pillows.example:8080", ()),
        ("https://PILLOWS.example:8080", ()),
        ("https://friend.example", ("https://friend.example",)),
        ("https://Friend.example", ("https://friend.EXAMPLE",)),
        ("https://anyone.example", ("*",)),
        ("null", ("*",)),
    ],
)
def test_an_allowed_origin(origin: str, allowed: tuple[str, ...]) -> None:
    """The gateway's own, a configured one, and any if all are allowed."""
    assert origin_allowed(origin, [HOST], allowed)


def test_a_page_of_http_is_none_of_a_gateway_that_is_reached_by_https() -> None:
    """Unless it is allowed by name. A page of https is one of a gateway that knows no scheme."""
    for host in ("pillows.example", "pillows.example:443"):
        assert origin_allowed("https://pillows.example", [host], (), is_https=True)
        assert not origin_allowed("http://pillows.example", [host], (), is_https=True)
        assert not origin_allowed("HTTP://pillows.example:443", [host], (), is_https=True)
        assert origin_allowed("https://pillows.example", [host], ())
    assert origin_allowed(
        "http://pillows.example", ["pillows.example"], ["http://pillows.example"], is_https=True
    )


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "http://pillows.example",
        "http://pillows.example:80800",
        "http://pillows.example:8080.evil.example",
        "http://evil.example/pillows.example:8080",
        "http://evil.example#pillows.example:8080",
        "http://user@pillows.example:8080",
        "pillows.example:8080",
        "http://[",
        "http://friend.example",
        "https://friend.example.evil.example",
        "https://friend.example:444",
    ],
)
def test_an_origin_that_is_not_allowed(origin: str) -> None:
    """Also one that resembles an allowed one."""
    assert not origin_allowed(origin, [HOST], ("https://friend.example",))


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://x.example", "x.example:80", True),
        ("https://x.example", "X.example:443", True),
        ("https://[::1]", "[::1]:443", True),
        ("https://x.example", "x.example:80", False),
        ("http://x.example", "x.example:8080", False),
    ],
)
def test_a_host_may_name_the_default_port_of_the_origins_scheme(
    origin: str, host: str, same: bool
) -> None:
    """Some proxies add it."""
    assert origin_allowed(origin, [host], ()) == same


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://x.example:8080", "x.example", True),
        ("https://X.example:8443", "x.EXAMPLE", True),
        ("http://[::1]:8080", "[::1]", True),
        ("http://y.example:8080", "x.example", False),
        ("http://x.example.evil.example", "x.example", False),
        ("http://x.example:8080/", "x.example", False),
    ],
)
def test_a_host_without_a_port_stands_for_every_port(origin: str, host: str, same: bool) -> None:
    """nginx's `$host` has none."""
    assert origin_allowed(origin, [host], ()) == same


def test_any_of_several_hosts_counts() -> None:
    """That of the request, and the one that a proxy was addressed as."""
    assert origin_allowed("https://x.example", ["127.0.0.1:8080", "x.example"], ())
    assert not origin_allowed("https://x.example", [], ())


@pytest.mark.parametrize("host", ["", ":80"])
def test_without_a_host_no_origin_is_the_gateways_own(host: str) -> None:
    """An empty origin does not equal an empty host."""
    assert not origin_allowed("http://", [host], ())
    assert not origin_allowed("", [host], ())


@pytest.mark.parametrize(
    ("value", "same"), [(b"same-origin", True), (b"same-site", False), (b"cross-site", False)]
)
def test_a_browser_says_whether_a_request_is_to_the_pages_own_origin(
    value: bytes, same: bool
) -> None:
    """Fetch Metadata: no page can set this header."""
    assert browser_says_same_origin({b"sec-fetch-site": value}) == same
    assert not browser_says_same_origin({})


@pytest.mark.parametrize(
    ("origin", "host", "fields", "peer", "is_local"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8080", {}, "127.0.0.1", True),
        ("http://localhost", "localhost:8080", {}, "::1", True),
        ("https://[::1]:8443", "[::1]:8080", {}, "::1", True),
        (
            "http://127.0.0.1:8000",
            "127.0.0.1:8080",
            {b"sec-fetch-site": b"same-site"},
            "::1",
            False,
        ),
        ("http://127.0.0.1:8000", "127.0.0.1:8080", {b"user-agent": CHROMIUM}, "::1", False),
        ("http://127.0.0.1:8000", "127.0.0.1:8080", {b"user-agent": b"Python/3"}, "::1", True),
        ("http://127.0.0.1:8000", "127.0.0.1:8080", {}, "10.0.0.1", False),
        ("http://127.0.0.1:8000", "127.0.0.1:8080", {}, None, False),
        ("http://localhost:8000", "127.0.0.1:8080", {}, "127.0.0.1", False),
        ("http://pillows.example:8000", "pillows.example:8080", {}, "127.0.0.1", False),
        ("http://localhost.evil.example", "localhost", {}, "127.0.0.1", False),
        ("http://user@localhost:8000", "localhost:8080", {}, "127.0.0.1", False),
        ("null", "localhost:8080", {}, "127.0.0.1", False),
        ("file://localhost", "localhost:8080", {}, "127.0.0.1", False),
    ],
)
def test_a_program_of_this_machine_may_name_another_port(
    origin: str, host: str, fields: dict[bytes, bytes], peer: str | None, is_local: bool
) -> None:
    """A page in a browser may not."""
    assert is_local_program(origin, host, fields, peer) is is_local


@given(st.text(), st.text())
def test_any_origin_is_decided_without_an_exception(origin: str, host: str) -> None:
    """It is chosen by the client."""
    assert origin_allowed(origin, [host], ()) in (True, False)
    assert is_local_program(origin, host, {}, "127.0.0.1") in (True, False)
