"""Subscriptions, and the order of refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.cursors import Cursor
from contract.frames import BAD_MESSAGE, FORBIDDEN, FULL, MAX_SUBSCRIBED
from contract.topics import is_pillow_id
from gateway.transport.admission import (
    AdmissionPolicy,
    Refusal,
    SubscriptionRequest,
    admit,
    parse_subscription,
)
from gateway.transport.forwarded import parse_networks


def test_a_query_without_pillows_subscribes_to_all() -> None:
    """And without a cursor nothing is resumed."""
    assert parse_subscription([], None) == SubscriptionRequest(None, None)


def test_a_query_has_pillows_and_a_cursor() -> None:
    """A repeated pillow is one pillow."""
    request = parse_subscription(["cloud-1", "cloud-2", "cloud-1"], "k3f9:118")

    assert request == SubscriptionRequest(frozenset({"cloud-1", "cloud-2"}), Cursor("k3f9", 118))


@pytest.mark.parametrize("name", ["", "bridge", "#", "+", "../../x", "Cloud", "x" * 64, "a b"])
def test_an_invalid_id_is_named_in_the_reason(name: str) -> None:
    """The first invalid one."""
    assert parse_subscription(["cloud-1", name], None) == f"pillow id {name!r} is not valid"


def test_a_query_above_max_subscribed_is_refused() -> None:
    """MAX_SUBSCRIBED pillows are allowed."""
    names = [f"p{number}" for number in range(MAX_SUBSCRIBED + 1)]

    assert isinstance(parse_subscription(names[:-1], None), SubscriptionRequest)
    assert parse_subscription(names, None) == (
        f"{MAX_SUBSCRIBED + 1} pillows; name at most {MAX_SUBSCRIBED}, or none for all"
    )


@given(st.lists(st.text(max_size=70), max_size=5), st.one_of(st.none(), st.text()))
def test_any_query_is_a_request_or_a_reason(pillows: list[str], since: str | None) -> None:
    """A malformed cursor is no error."""
    request = parse_subscription(pillows, since)

    if all(is_pillow_id(name) for name in pillows):
        assert isinstance(request, SubscriptionRequest)
        assert request.filter == (frozenset(pillows) or None)
    else:
        assert isinstance(request, str)
        assert len(request) < 500


POLICY = AdmissionPolicy(allowed_origins=(), max_clients=2)


def test_an_origin_is_refused_before_the_limit_of_clients_and_the_query() -> None:
    """With 4403, then 1013, then 4400: a client that may never connect must not retry."""
    foreign = {b"host": b"x", b"origin": b"http://y"}

    assert isinstance(admit(POLICY, 1, b"pillow=a", {b"host": b"x"}), SubscriptionRequest)
    for clients, query, fields, code in (
        (2, b"pillow=%20", foreign, FORBIDDEN),
        (2, b"pillow=%20", {}, FULL),
        (1, b"pillow=%20", {}, BAD_MESSAGE),
    ):
        refusal = admit(POLICY, clients, query, fields)
        assert isinstance(refusal, Refusal)
        assert refusal.code == code


def test_last_event_id_is_newer_than_since() -> None:
    """A browser keeps the address of a stream when it reconnects, and sends the header."""
    request = admit(POLICY, 0, b"since=ep:1", {b"last-event-id": b"ep:2"})

    assert request == SubscriptionRequest(None, Cursor("ep", 2))


def test_a_forwarded_host_counts_from_a_trusted_proxy_only() -> None:
    """From another peer it is refused, with the setting to change."""
    fields = {
        b"host": b"127.0.0.1:8080",
        b"origin": b"https://pillows.example",
        b"x-forwarded-host": b"pillows.example",
    }
    trusting = AdmissionPolicy((), 2, parse_networks(["10.0.0.0/8"]))

    assert isinstance(admit(trusting, 0, b"", fields, "10.0.0.7"), SubscriptionRequest)
    refusal = admit(trusting, 0, b"", fields, "192.0.2.1")
    assert isinstance(refusal, Refusal)
    assert "192.0.2.1 is not in GATEWAY_TRUSTED_PROXIES" in refusal.reason


def test_a_proxy_that_names_the_upstream_as_host_is_told_what_to_pass_on() -> None:
    """Nginx's default; unless the browser itself says that the request is to its page's origin."""
    fields = {b"host": b"127.0.0.1:8080", b"origin": b"https://pillows.example"}

    refusal = admit(POLICY, 0, b"", fields, "127.0.0.1")
    assert isinstance(refusal, Refusal)
    assert "proxy_set_header Host $http_host" in refusal.reason
    fields[b"sec-fetch-site"] = b"same-origin"
    assert isinstance(admit(POLICY, 0, b"", fields, "127.0.0.1"), SubscriptionRequest)
