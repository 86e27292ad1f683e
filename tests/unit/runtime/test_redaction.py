"""What is written of text that contains secrets."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.redaction import MIN_VALUE_LENGTH, REDACTED, Redactor, redact

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl-hush"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("mqtt://user:hush@host:1883", "mqtt://***@host:1883"),
        ("mqtt://user:p@hush@host:1883/x", "mqtt://***@host:1883/x"),
        ("at https://hush@host, and http://host/a@b", "at https://***@host, and http://host/a@b"),
        ("AccountName=a;AccountKey=hush==;X=1", "AccountName=a;AccountKey=***;X=1"),
        ("SharedAccessSignature=sv=1&sig=hush;X=1", "SharedAccessSignature=***;X=1"),
        ("https://a/q?sv=1&sig=hush%3D&x=1", "https://a/q?sv=1&sig=***&x=1"),
        ("GET /?token=hush HTTP/1.1", "GET /?token=*** HTTP/1.1"),
        ("https://a/keys?code=hush", "https://a/keys?code=***"),
        ("client_secret=hush", "client_secret=***"),
        (f"'authorization': 'Bearer {TOKEN}'", "'authorization': 'Bearer ***'"),
        ("Authorization: SharedKey account1:hush/hush=", "Authorization: SharedKey ***"),
        (f"pillowcast.v1, bearer.{TOKEN}", "pillowcast.v1, bearer ***"),
        (f"#x={TOKEN}!", "#x=***!"),
        ("-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----",
         "-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----"),
        ("-----BEGIN RSA PRIVATE KEY-----\nhush", "-----BEGIN RSA PRIVATE KEY-----***"),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_replaced(text: str, kept: str) -> None:
    """And nothing else of the text."""
    assert redact(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "closed code=4403 reason=origin error_code=AuthenticationFailed",
        "check AZURE_STORAGE_CONNECTION_STRING (AccountName, AccountKey or SharedAccessSignature)",
        "a token is needed, in the header Authorization: Bearer TOKEN",
        "basic authentication is not supported",
        "http://127.0.0.1:10001/devstoreaccount1/pillow-state",
        "no token message within 8 s",
        '{"event": "listening", "address": "http://0.0.0.0:8080"}',
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    """A log that hides too much is of no use."""
    assert redact(text) == text


@given(
    st.text(st.characters(codec="ascii", min_codepoint=33), min_size=MIN_VALUE_LENGTH),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_a_known_secret_is_replaced_wherever_it_is(secret: str, before: str, after: str) -> None:
    """As it is, and as JSON or a URL contain it."""
    redacted = Redactor([secret])
    for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe="")):
        assert secret not in redacted(f"{before}{form}{after}").replace(REDACTED, "\0")


def test_the_parts_of_a_known_secret_are_known_too() -> None:
    """An exception may quote a password alone."""
    redacted = Redactor(
        [
            "mqtt://user:p%40ss-word@host",
            "AccountName=a;AccountKey=YWJjZGVmZ2hp;",
            "sig=abc%2Fdefgh",
        ]
    )

    for part in ("p%40ss-word", "p@ss-word", "YWJjZGVmZ2hp", "abc/defgh"):
        assert redacted(f"wrong: {part}.") == "wrong: ***."


@pytest.mark.parametrize("url", ["mqtt://127.0.0.1:1883", "mqtts://broker.example"])
def test_a_url_without_a_password_is_no_secret(url: str) -> None:
    """A log that does not name the broker helps nobody to find the wrong setting."""
    assert Redactor([url])(f"broker={url}") == f"broker={url}"


def test_a_short_value_is_not_searched_for() -> None:
    """It may be a part of any word."""
    assert Redactor(["poll"])("the poller polls") == "the poller polls"
