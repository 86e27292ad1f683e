"""Under which host a request is answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.forwarded import parse_networks
from gateway.transport.host_policy import asked_hosts, foreign_host
from runtime.web_host import EVERY_HOST, allowed_hosts

PROXIES = parse_networks(["127.0.0.1", "::1", "10.0.0.0/8"])
OWN = allowed_hosts(("clouds.example",), "127.0.0.1", ())

Fields = dict[bytes, bytes]


def foreign(fields: Fields, peer: str | None = "192.0.2.1") -> str | None:
    """Return the foreign host of a request to a gateway that is `clouds.example`."""
    return foreign_host(OWN, fields, peer, PROXIES)


@pytest.mark.parametrize(
    ("fields", "host"),
    [
        ({b"host": b"clouds.example"}, None),
        ({b"host": b"CLOUDS.example.:8080"}, None),
        ({b"host": b"localhost:8080"}, None),
        ({b"host": b"evil.example"}, "evil.example"),
        ({b"host": b""}, "''"),
        ({b"host": b"clouds.example, evil.example"}, "clouds.example, evil.example"),
        ({b"host": b"cl\xf6uds.example"}, "cl\xf6uds.example"),
        ({}, None),
    ],
)
def test_a_request_is_answered_under_the_host_that_it_names(
    fields: Fields, host: str | None
) -> None:
    """In HTTP/1.0 there may be none; no browser sends such a request."""
    assert foreign(fields) == host


@pytest.mark.parametrize("peer", [None, "192.0.2.1", "127.0.0.2", "a name"])
@pytest.mark.parametrize("name", [b"x-forwarded-host", b"forwarded"])
def test_headers_of_a_proxy_that_is_not_trusted_do_not_count(peer: str | None, name: bytes) -> None:
    """Any client can send them."""
    told = b"host=clouds.example" if name == b"forwarded" else b"clouds.example"
    lie = b"host=evil.example" if name == b"forwarded" else b"evil.example"

    assert foreign({b"host": b"evil.example", name: told}, peer) == "evil.example"
    assert foreign({b"host": b"clouds.example", name: lie}, peer) is None


@pytest.mark.parametrize("peer", ["10.1.2.3", "::ffff:10.1.2.3"])
@pytest.mark.parametrize("host", [b"gateway:8080", b"10.0.0.7:8080", b"gateway.internal"])
def test_a_trusted_proxy_tells_the_host(peer: str, host: bytes) -> None:
    """`Host` is then the name that the proxy has for the gateway."""
    fields = {b"host": host, b"x-forwarded-host": b"clouds.example"}
    assert foreign(fields, peer) is None
    fields[b"x-forwarded-host"] = b"evil.example"
    assert foreign(fields, peer) == "evil.example"
    fields = {b"host": host, b"forwarded": b'for=1.2.3.4;host="clouds.example:443";proto=https'}
    assert foreign(fields, peer) is None


@pytest.mark.parametrize("own", [b"localhost", b"clouds.example"])
def test_a_client_cannot_hide_a_host_behind_the_header_that_its_proxy_does_not_write(
    own: bytes,
) -> None:
    """A proxy that writes one of the two passes the other on, and a page's script can set both."""
    fields = {
        b"host": b"gateway",
        b"x-forwarded-host": b"evil.example",
        b"forwarded": b"host=" + own,
    }
    assert foreign(fields, "10.1.2.3") == "evil.example"
    fields = {b"host": b"gateway", b"x-forwarded-host": own, b"forwarded": b"host=evil.example"}
    assert foreign(fields, "10.1.2.3") == "evil.example"


def test_every_host_that_a_header_names_must_be_allowed() -> None:
    """Some proxies add theirs to what the client sent."""
    fields = {b"host": b"gateway", b"x-forwarded-host": b"clouds.example, evil.example"}
    assert foreign(fields, "10.1.2.3") == "evil.example"
    fields = {b"host": b"gateway", b"forwarded": b"host=localhost, for=a;host=evil.example"}
    assert foreign(fields, "10.1.2.3") == "evil.example"


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_page_on_the_machine_of_a_trusted_proxy_cannot_speak_for_it(peer: str) -> None:
    """Its script can set X-Forwarded-Host in a request to the rebound name of its site."""
    fields = {b"host": b"evil.example:8080", b"x-forwarded-host": b"clouds.example"}
    assert foreign(fields, peer) == "evil.example:8080"
    for host in (b"127.0.0.1:8080", b"localhost", b"gateway:8080", b"[::1]", b"clouds.example"):
        assert foreign({**fields, b"host": host}, peer) is None


values = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"clouds.example", b"evil.example", b"host=a", b"localhost", b"10.0.0.1"]),
)


@given(
    st.dictionaries(st.sampled_from([b"host", b"forwarded", b"x-forwarded-host"]), values),
    st.one_of(st.none(), st.sampled_from(["127.0.0.1", "10.0.0.1", "192.0.2.1"]), st.text()),
)
def test_any_request_is_answered_under_allowed_hosts_only(fields: Fields, peer: str | None) -> None:
    """And every request where every host is answered."""
    answered = foreign_host(OWN, fields, peer, PROXIES) is None

    assert answered == all(map(OWN.allow, asked_hosts(fields, peer, PROXIES)))
    assert foreign_host(EVERY_HOST, fields, peer, PROXIES) is None
    if b"host" in fields and peer == "192.0.2.1":
        assert answered == OWN.allow(fields[b"host"].decode("latin-1"))
