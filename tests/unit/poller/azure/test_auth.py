"""A request's proof of who asks: as the SDK would give it, and never out of date."""

import asyncio
import base64
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import HttpRequest
from azure.storage.queue._shared.authentication import SharedKeyCredentialPolicy
from hypothesis import given
from hypothesis import strategies as st

from poller.azure.auth import RENEW_BEFORE_S, SCOPE, KeySigner, TokenSigner, UrlSigner
from poller.azure.errors import API_VERSION

KEY = base64.b64encode(b"a key of some length").decode()
NOON = 1_795_348_800.0

receipts = st.text("ABCxyz019+/=", min_size=1, max_size=60)


@given(
    verb=st.sampled_from(["GET", "DELETE"]),
    path=st.sampled_from(["/devstoreaccount1/pillow-state/messages", "/q/messages/1-2-3"]),
    query=st.dictionaries(
        st.sampled_from(["numofmessages", "popreceipt", "visibilitytimeout"]), receipts, min_size=1
    ),
)
async def test_a_key_signs_as_the_sdk_does(verb: str, path: str, query: dict[str, str]) -> None:
    """The SDK's own signature for the same request is the same."""
    ordered = sorted(query.items())
    lines = await KeySigner("account", KEY, lambda: NOON).sign(verb, path, ordered)
    headers = dict(line.split(": ", 1) for line in lines.split("\r\n") if line)

    said = "&".join(f"{name}={quote(value, safe='')}" for name, value in ordered)
    theirs = HttpRequest(verb, f"https://account.example{path}?{said}")
    theirs.headers.update({"x-ms-date": headers["x-ms-date"], "x-ms-version": API_VERSION})
    context = SimpleNamespace(transport=None)
    policy: Any = SharedKeyCredentialPolicy
    policy("account", KEY).on_request(SimpleNamespace(http_request=theirs, context=context))

    assert urlsplit(theirs.url).path == path
    assert headers["Authorization"] == theirs.headers["Authorization"]
    assert lines.endswith("\r\n")


async def test_a_key_s_date_follows_the_clock() -> None:
    """A date is kept for its second, not for longer."""
    now = [NOON]
    signer = KeySigner("account", KEY, lambda: now[0])

    first = await signer.sign("GET", "/q", ())
    now[0] += 0.5
    same = await signer.sign("GET", "/q", ())
    now[0] += 1
    later = await signer.sign("GET", "/q", ())

    assert first == same
    assert "x-ms-date: Sun, 22 Nov 2026 12:00:00 GMT" in first
    assert "x-ms-date: Sun, 22 Nov 2026 12:00:01 GMT" in later
    assert first.partition("Authorization")[2] != later.partition("Authorization")[2]


async def test_a_shared_access_signature_needs_no_header() -> None:
    """It is in the URL."""
    signer = UrlSigner()
    signer.refused()

    assert await signer.sign("GET", "/q", ()) == ""


class Identity:
    """A credential whose tokens last an hour, unless told otherwise."""

    def __init__(self, clock: list[float]) -> None:
        self.asked: list[str] = []
        self.fails: Exception | None = None
        self.lasts_s = 3600.0
        self._clock = clock

    async def get_token(self, *scopes: str, **_options: object) -> AccessToken:
        self.asked += scopes
        await asyncio.sleep(0)
        if self.fails is not None:
            raise self.fails
        return AccessToken(f"token{len(self.asked)}", int(self._clock[0] + self.lasts_s))

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> "Identity":
        return self

    async def __aexit__(self, *_error: object) -> None:
        pass


async def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    """However many ask for it at once, one request is made for it."""
    now = [NOON]
    identity = Identity(now)
    signer = TokenSigner(identity, lambda: now[0])

    several = await asyncio.gather(*(signer.sign("GET", "/q", ()) for _ in range(10)))
    now[0] += 3600 - RENEW_BEFORE_S
    still = await signer.sign("GET", "/q", ())
    now[0] += 1
    renewed = await signer.sign("GET", "/q", ())

    assert all("Authorization: Bearer token1\r\n" in one for one in (*several, still))
    assert "Bearer token2" in renewed
    assert identity.asked == [SCOPE, SCOPE]


async def test_a_token_that_was_refused_is_not_shown_again() -> None:
    """A key vault may have revoked it long before its end."""
    now = [NOON]
    signer = TokenSigner(Identity(now), lambda: now[0])

    await signer.sign("GET", "/q", ())
    signer.refused()

    assert "Bearer token2" in await signer.sign("GET", "/q", ())


async def test_a_token_that_cannot_be_renewed_serves_to_its_end() -> None:
    """Then, and not before, there is nothing to show."""
    now = [NOON]
    identity = Identity(now)
    signer = TokenSigner(identity, lambda: now[0])
    await signer.sign("GET", "/q", ())
    identity.fails = OSError("the identity service is away")

    now[0] += 3600 - 1
    assert "Bearer token1" in await signer.sign("GET", "/q", ())
    now[0] += 2
    with pytest.raises(OSError, match="away"):
        await signer.sign("GET", "/q", ())


async def test_a_token_that_is_short_lived_is_not_asked_for_every_time() -> None:
    """It would be replaced before it could be used."""
    now = [NOON]
    identity = Identity(now)
    identity.lasts_s = 60
    signer = TokenSigner(identity, lambda: now[0])

    for _ in range(5):
        await signer.sign("GET", "/q", ())

    assert len(identity.asked) == 1
