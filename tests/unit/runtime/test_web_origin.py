"""Web origins: normalised to what browsers send, or refused with a sentence."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.web_origin import normalize_origin


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("https://example.org", "https://example.org"),
        ("https://example.org/", "https://example.org"),
        ("https://Example.ORG:443", "https://example.org"),
        ("http://example.org:80", "http://example.org"),
        ("HTTP://example.org:443", "http://example.org:443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
        ("https://faß.example", "https://xn--fa-hia.example"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("capacitor://localhost", "capacitor://localhost"),
    ],
)
def test_an_origin_is_written_as_a_browser_sends_it(given: str, sent: str) -> None:
    """Lower case, ASCII, without a default port."""
    assert normalize_origin(given) == sent


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("https://*.example.org", "has a wildcard; name each origin"),
        ("wss://example.org", "name the origin of the page: https://example.org"),
        ("ws://example.org:81", "name the origin of the page: http://example.org:81"),
        ("https://example.org/path", "and no path"),
        ("https://example.org?x", "and no path"),
        ("example.org", "and no path"),
        ("https://", "is no origin"),
        ("https://a.example https://b.example", "is no origin"),
        ("https://user@example.org", "is no origin"),
        ("https://example.org:http", "is no origin"),
        ("null", "is no origin"),
    ],
)
def test_an_origin_that_can_never_match_is_refused(given: str, says: str) -> None:
    """The sentence names it and says what to write."""
    with pytest.raises(ValueError, match=r"origin|wildcard") as refused:
        normalize_origin(given)
    assert says in str(refused.value)
    assert repr(given) in str(refused.value)


@given(st.text() | st.text().map("https://".__add__))
def test_normalising_twice_changes_nothing(text: str) -> None:
    """And any text gives an origin or a ValueError."""
    with suppress(ValueError):
        origin = normalize_origin(text)
        assert normalize_origin(origin) == origin
