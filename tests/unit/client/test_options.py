"""What a person may write, and what is said to the rest; tokens and subscriptions."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillowcast import connect
from pillowcast.gateway_url import stream_url
from pillowcast.subscription import MAX_QUERY_CHARS, Subscription, check_pillows
from pillowcast.tokens import MAX_RENEWAL_S, MIN_RENEWAL_S, claims_of, renewal_delay_s


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:8080", "ws://localhost:8080/ws"),
        ("https://pillows.example/", "wss://pillows.example/ws"),
        ("https://pillows.example/clouds", "wss://pillows.example/clouds/ws"),
        ("wss://pillows.example/clouds/ws", "wss://pillows.example/clouds/ws"),
        ("ws://[::1]:8080", "ws://[::1]:8080/ws"),
        (" HTTP://localhost ", "ws://localhost/ws"),
    ],
)
def test_a_gateways_url_is_that_of_its_page_or_its_stream(url: str, expected: str) -> None:
    """As a person copies it."""
    assert stream_url(url) == expected


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("localhost:8080", "as http://localhost:8080/"),
        ("", "https://host/"),
        ("http://", "https://host/"),
        ("mqtt://host", "https://host/"),
        ("http://host:port/", "https://host/"),
        ("https://host/?pillow=cloud-1", "pillows="),
        ("https://host/#cloud-1", "pillows="),
    ],
)
def test_another_url_is_explained(url: str, advice: str) -> None:
    """With what to write."""
    with pytest.raises(ValueError, match="url is") as error:
        connect(url)
    assert advice in str(error.value)


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"pillows": "cloud-1"}, "pass a list, ['cloud-1']"),
        ({"pillows": []}, "None for all"),
        ({"pillows": ["Cloud-1"]}, "'Cloud-1' is no pillow's id"),
        ({"pillows": [f"cloud-{number}" for number in range(1_001)]}, "at most 1000"),
        ({"pillows": 7}, "pass a list"),
        ({"token": 7}, "pass a text, or a function"),
        ({"cursor": 7}, "pass the cursor"),
        ({"motion": "some"}, 'motion is \'some\': pass "all" or "none"'),
    ],
)
def test_an_option_that_is_none_is_explained(options: dict[str, Any], advice: str) -> None:
    """Before anything is connected."""
    with pytest.raises((TypeError, ValueError)) as error:
        connect("http://localhost", **options)
    assert advice in str(error.value)


def jwt(claims: object) -> str:
    """Return a token with these claims."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{body}.c2lnbmF0dXJl"


@given(st.floats(0, 1e10), st.floats() | st.integers())
def test_a_token_is_renewed_before_it_ends(now_s: float, exp: float) -> None:
    """Whatever it says, and not without pause."""
    delay_s = renewal_delay_s(jwt({"exp": exp}), now_s)

    if delay_s is not None:
        assert MIN_RENEWAL_S <= delay_s <= MAX_RENEWAL_S
        assert delay_s == MIN_RENEWAL_S or now_s + delay_s < exp


@given(st.text())
def test_what_is_no_token_has_no_claims_and_no_end(text: str) -> None:
    """The gateway says what it thinks of it."""
    assert isinstance(claims_of(text), dict)
    assert renewal_delay_s(jwt({"exp": "soon"}), 0) is None


def test_a_cursor_is_sent_for_the_pillows_that_it_is_of() -> None:
    """After other pillows were asked for, it is not."""
    subscription = Subscription(check_pillows(["cloud-1"]), has_cursor=True)
    assert subscription.request_by_query("k:7") == "pillow=cloud-1&since=k:7"
    subscription.answered(has_more=False)

    subscription.pillows = check_pillows(["cloud-2"])

    assert subscription.is_request_due
    assert subscription.request_by_query("k:7") == "pillow=cloud-2"


def test_states_without_motion_are_asked_for_by_every_query() -> None:
    """Also by one that names no pillow."""
    subscription = Subscription(None, has_cursor=True, has_motion=False)
    assert subscription.request_by_query(None) == "motion=none"
    assert subscription.request_by_query("k:7") == "motion=none&since=k:7"


def test_more_pillows_than_a_query_holds_are_asked_for_by_a_message() -> None:
    """A client then has all that it wants with the second snapshot."""
    pillows = check_pillows([f"cloud-{number}" for number in range(500)])
    subscription = Subscription(pillows, has_cursor=False)

    assert len(subscription.request_by_query(None)) <= MAX_QUERY_CHARS
    assert not subscription.is_request_due
    assert not subscription.answered(has_more=False)
    assert subscription.is_request_due
    subscription.requested()
    assert subscription.answered(has_more=False)
