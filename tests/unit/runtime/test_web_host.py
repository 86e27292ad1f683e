"""Hosts: what a `Host` header names, and which of them are answered."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.web_host import (
    EVERY_HOST,
    AllowedHosts,
    allowed_hosts,
    is_address,
    is_loopback,
    normalize_host,
    parse_host,
)

MACHINE = ("Box.lan", "Box", "Box.local")
ON_LOOPBACK = allowed_hosts((), "127.0.0.1", MACHINE)

names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z]{1,8}){1,3}", fullmatch=True)
ports = st.sampled_from(["", ":", ":0", ":80", ":8080", ":65535"])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("localhost", "localhost"),
        ("LocalHost:8080", "localhost"),
        ("localhost.", "localhost"),
        ("localhost.:80", "localhost"),
        ("localhost:", "localhost"),
        ("a_b.example", "a_b.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("[::1]", "::1"),
        ("[::1]:8080", "::1"),
        ("[0:0:0:0:0:0:0:1]", "::1"),
        ("[::FFFF:127.0.0.1]", "::ffff:7f00:1"),
        ("[fe80::1%eth0]", "fe80::1%eth0"),
        # Numbers that only some programs take for an address are names.
        ("0x7f.1", "0x7f.1"),
        ("2130706433", "2130706433"),
        ("0177.0.0.1", "0177.0.0.1"),
        ("127.1", "127.1"),
        ("127.0.0.1.evil.example", "127.0.0.1.evil.example"),
    ],
)
def test_a_host_is_a_name_in_lower_case_or_an_address(text: str, name: str) -> None:
    """Without a port and a final dot."""
    # Python writes an IPv4-mapped address in two ways.
    assert parse_host(text) in {name, name.replace("::ffff:7f00:1", "::ffff:127.0.0.1")}


@pytest.mark.parametrize(
    "text",
    [
        "", " ", ".", "..", ":80", "a..b", ".a", "localhost..", "localhost:x", "localhost:80:80",
        "localhost:123456", "user@localhost", "localhost/", "localhost?", "localhost#", "http://a",
        "local host", "localhost\t", "localhost,evil.example", "::1", "[::1", "::1]", "[]", "[a]",
        "[127.0.0.1]", "[::1].", "[::g]", "bücher.example", "ＬＯＣＡＬＨＯＳＴ", "localhost\0",
        "\u212aiosk", "a" * 263, "%6cocalhost", "localhost\\", "*", "*.example.org",
    ],
)  # fmt: skip
def test_what_is_no_host_has_no_name(text: str) -> None:
    """No browser sends it, so it can be refused whatever it was meant to be."""
    assert parse_host(text) is None
    assert not ON_LOOPBACK.allow(text)


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST:8080", "localhost.", "wall.localhost", "127.0.0.1:8080",
        "127.8.7.6", "[::1]:8080", "[::ffff:127.0.0.1]", "192.168.1.7", "[2001:db8::1]:80",
        "box", "BOX.lan:8080", "box.local",
    ],
)  # fmt: skip
def test_on_loopback_its_names_the_machines_and_addresses_are_answered(host: str) -> None:
    """An address in Host cannot be resolved to another one."""
    assert ON_LOOPBACK.allow(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "localhost.evil.example", "evillocalhost", "box.evil.example", "xbox",
        "127.0.0.1.evil.example", "0x7f.1", "0x7f000001", "2130706433", "127.1", "0177.0.0.1",
        "127.0.0.1.nip.io", "example", "1.2.3.4.5", "lan", "com",
    ],
)  # fmt: skip
def test_on_loopback_no_other_name_is_answered(host: str) -> None:
    """Also one that resembles an allowed one, or that a program may take for an address."""
    assert not ON_LOOPBACK.allow(host)
    assert EVERY_HOST.allow(host)


@given(names, ports, st.booleans())
def test_no_foreign_name_is_answered_on_loopback(name: str, port: str, dot: bool) -> None:
    """Whatever its port, its case and its final dot."""
    foreign = name not in ("box.lan", "box.local") and not name.endswith("localhost")
    for written in (name, name.upper(), name.title()):
        host = f"{written}{'.' if dot else ''}{port}"
        assert ON_LOOPBACK.allow(host) is not foreign
        assert allowed_hosts((name,), "0.0.0.0", MACHINE).allow(host)


@given(st.one_of(st.builds(IPv4Address, st.integers(0, 2**32 - 1)),
                 st.builds(IPv6Address, st.integers(0, 2**128 - 1))), ports)  # fmt: skip
def test_every_address_is_answered(address: IPv4Address | IPv6Address, port: str) -> None:
    """In brackets if it has colons."""
    host = f"[{address}]{port}" if address.version == 6 else f"{address}{port}"

    name = parse_host(host)
    assert name is not None
    assert is_address(name)
    assert ON_LOOPBACK.allow(host)
    assert AllowedHosts().allow(host)
    assert normalize_host(str(address)) == name


@given(st.text())
def test_any_text_is_read_without_an_exception(text: str) -> None:
    """What is answered is loopback, the machine or an address."""
    name = parse_host(text)

    if ON_LOOPBACK.allow(text):
        assert name is not None
        assert is_loopback(name) or is_address(name) or name in ("box", "box.lan", "box.local")
    if name is not None:
        assert parse_host(f"[{name}]" if ":" in name else name) == name


def test_listed_hosts_replace_the_machines_names() -> None:
    """Loopback, addresses and the names in `also` are answered in any case."""
    hosts = allowed_hosts(("a.example", ".b.example"), "127.0.0.1", MACHINE, ["c.example"])

    for host in (
        "A.example:1",
        "x.b.example",
        "y.x.B.example.",
        "c.example",
        "localhost",
        "10.0.0.7",
    ):
        assert hosts.allow(host), host
    for host in ("b.example", "xb.example", "x.a.example", "box", "0x7f.1"):
        assert not hosts.allow(host), host


@pytest.mark.parametrize("bound_to", ["0.0.0.0", "::", "192.168.1.7", "pillows.example"])
def test_elsewhere_every_host_is_answered_unless_some_are_listed(bound_to: str) -> None:
    """Nobody knows how it is addressed."""
    assert allowed_hosts((), bound_to, MACHINE) == EVERY_HOST
    assert allowed_hosts((), bound_to, MACHINE, ["c.example"]) == EVERY_HOST
    assert not allowed_hosts(("a.example",), bound_to, MACHINE).allow("evil.example")


@pytest.mark.parametrize("bound_to", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST"])
def test_a_server_on_loopback_answers_to_few_names(bound_to: str) -> None:
    """Unless it is told to answer to all."""
    assert not allowed_hosts((), bound_to, MACHINE).allow("evil.example")
    assert allowed_hosts(("*",), bound_to, MACHINE) == EVERY_HOST


@pytest.mark.parametrize(
    ("given", "compared"),
    [
        ("*", "*"),
        ("Clouds.Example.org", "clouds.example.org"),
        ("clouds.example.org.", "clouds.example.org"),
        ("clouds.example.org:8443", "clouds.example.org"),
        (".example.org", ".example.org"),
        ("*.Example.org", ".example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.BÜCHER.example:80", ".xn--bcher-kva.example"),
        ("::1", "::1"),
        ("[2001:DB8::1]:80", "2001:db8::1"),
        ("10.0.0.7:80", "10.0.0.7"),
        ("gateway", "gateway"),
    ],
)
def test_an_allowed_host_is_written_as_it_is_compared(given: str, compared: str) -> None:
    """`*.` and a dot are the same; a port says nothing."""
    assert normalize_host(given) == compared


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("https://clouds.example.org", "without a scheme"),
        ("clouds.example.org/", "without a scheme and a path"),
        ("10.0.0.0/8", "is no host"),
        ("a.*.example", "is no host"),
        ("**.example", "is no host"),
        (".", "is no host"),
        ("*.", "is no host"),
        (".10.0.0.7", "is no host"),
        ("a b", "several are separated by commas"),
        ("a;b", "is no host"),
        ("user@a.example", "is no host"),
    ],
)
def test_a_host_that_can_never_match_is_refused(given: str, says: str) -> None:
    """The sentence names it and says what to write."""
    with pytest.raises(ValueError, match=says) as refused:
        normalize_host(given)

    assert repr(given) in str(refused.value)
