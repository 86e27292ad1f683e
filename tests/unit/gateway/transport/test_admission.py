"""Subscriptions, and the order of refusals."""

from urllib.parse import parse_qsl

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
    parse_query,
    parse_subscription,
    refusal_of_host,
)
from gateway.transport.forwarded import parse_networks
from runtime.web_host import allowed_hosts


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


@given(st.text(st.characters(codec="latin-1"), max_size=80) | st.text("a=&;+%41#", max_size=40))
def test_a_query_is_parsed_as_by_the_standard_library(text: str) -> None:
    """With escapes and without."""
    parsed = parse_query(text.encode("latin-1"))

    assert parsed == parse_qsl(text, keep_blank_values=True)


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
    assert "the proxy in front is not in GATEWAY_TRUSTED_PROXIES" in refusal.reason
    assert "192.0.2.1" not in refusal.reason


def test_a_proxy_that_names_the_upstream_as_host_is_told_what_to_pass_on() -> None:
    """Nginx's default; unless the browser itself says that the request is to its page's origin."""
    fields = {b"host": b"127.0.0.1:8080", b"origin": b"https://pillows.example"}

    refusal = admit(POLICY, 0, b"", fields, "127.0.0.1")
    assert isinstance(refusal, Refusal)
    assert "proxy_set_header Host $http_host" in refusal.reason
    fields[b"sec-fetch-site"] = b"same-origin"
    assert isinstance(admit(POLICY, 0, b"", fields, "127.0.0.1"), SubscriptionRequest)


HTTPS_PAGE = {b"host": b"pillows.example", b"origin": b"https://pillows.example"}
HTTP_PAGE = {b"host": b"pillows.example", b"origin": b"http://pillows.example"}


@pytest.mark.parametrize(
    "told", [{b"x-forwarded-proto": b"https"}, {b"forwarded": b"proto=https;host=pillows.example"}]
)
def test_a_page_of_http_is_refused_where_a_trusted_proxy_was_asked_by_https(
    told: dict[bytes, bytes],
) -> None:
    """With the sentence that helps. What another proxy tells does not count."""
    trusting = AdmissionPolicy((), 2, parse_networks(["10.0.0.0/8"]))

    assert isinstance(
        admit(trusting, 0, b"", {**HTTPS_PAGE, **told}, "10.0.0.7"), SubscriptionRequest
    )
    assert isinstance(
        admit(trusting, 0, b"", {**HTTP_PAGE, **told}, "192.0.2.1"), SubscriptionRequest
    )
    refusal = admit(trusting, 0, b"", {**HTTP_PAGE, **told}, "10.0.0.7")
    assert isinstance(refusal, Refusal)
    assert refusal.code == FORBIDDEN
    assert "reached by https://" in refusal.reason
    plain = {b"x-forwarded-proto": b"http"}
    for page in (HTTP_PAGE, HTTPS_PAGE):
        assert isinstance(
            admit(trusting, 0, b"", {**page, **plain}, "10.0.0.7"), SubscriptionRequest
        )


def test_a_page_of_http_is_refused_at_the_host_of_a_public_url_of_https() -> None:
    """No proxy has to tell the scheme."""
    policy = AdmissionPolicy((), 2, https_host="pillows.example")

    assert isinstance(admit(policy, 0, b"", HTTPS_PAGE), SubscriptionRequest)
    refusal = admit(policy, 0, b"", HTTP_PAGE)
    assert isinstance(refusal, Refusal)
    assert "reached by https://" in refusal.reason
    local = {b"host": b"localhost:8080", b"origin": b"http://localhost:8080"}
    assert isinstance(admit(policy, 0, b"", local), SubscriptionRequest)


def test_a_foreign_host_is_refused_with_its_name_and_the_setting() -> None:
    """The name is cut off where it is long."""
    policy = AdmissionPolicy((), 2, hosts=allowed_hosts((), "127.0.0.1", ()))

    assert refusal_of_host(policy, {b"host": b"localhost"}, None) is None
    refusal = refusal_of_host(policy, {b"host": b"evil.example" + b"x" * 999}, None)
    assert refusal is not None
    assert refusal.code == FORBIDDEN
    assert "the host evil.examplexx" in refusal.reason
    assert "GATEWAY_ALLOWED_HOSTS" in refusal.reason
    assert len(refusal.reason) < 250
