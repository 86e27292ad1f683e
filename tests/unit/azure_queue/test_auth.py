"""Authorization: signatures equal to the SDK's, and tokens that are valid when they are sent."""

import asyncio
import base64
from typing import Any
from urllib.parse import quote

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.rest import HttpRequest
from azure.storage.queue import QueueClient
from hypothesis import given
from hypothesis import strategies as st

from azure_queue.auth import (
    BODY_TYPE,
    RENEW_BEFORE_EXPIRY_S,
    SCOPE,
    Headers,
    SasAuth,
    SharedKeyAuth,
    TokenAuth,
)
from azure_queue.errors import QueueDenied, QueueUnavailable
from azure_queue.service import API_VERSION

KEY = base64.b64encode(b"a key of some length").decode()
NOON = 1_795_348_800.0


receipts = st.text("ABCxyz019+/=", min_size=1, max_size=60)


@given(
    method=st.sampled_from(["GET", "DELETE", "POST"]),
    path=st.sampled_from(["/devstoreaccount1/pillow-state/messages", "/q/messages/1-2-3"]),
    query=st.dictionaries(
        st.sampled_from(["numofmessages", "popreceipt", "visibilitytimeout"]), receipts, min_size=1
    ),
    length=st.integers(0, 100_000),
)
async def test_a_key_signs_a_request_as_the_sdk_does(
    method: str, path: str, query: dict[str, str], length: int
) -> None:
    """The SDK's policy, given the same request and date, computes the same signature."""
    ordered = sorted(query.items())
    ours = dict(
        await SharedKeyAuth("account", KEY, lambda: NOON).headers(method, path, ordered, length)
    )

    encoded = "&".join(f"{name}={quote(value, safe='')}" for name, value in ordered)
    request = HttpRequest(method, f"https://account.example{path}?{encoded}")
    request.headers.update({"x-ms-date": ours["x-ms-date"], "x-ms-version": API_VERSION})
    if length:
        request.headers.update({"Content-Type": BODY_TYPE, "Content-Length": str(length)})
    client = QueueClient(
        "https://account.example", "q", {"account_name": "account", "account_key": KEY}
    )
    policy: Any = client.credential
    policy.on_request(PipelineRequest(request, PipelineContext(transport=None)))

    assert request.headers["Authorization"] == ours["Authorization"]


async def test_the_date_of_a_signature_follows_the_clock() -> None:
    """A formatted date is kept for its second only."""
    now = [NOON]
    auth = SharedKeyAuth("account", KEY, lambda: now[0])

    first = await auth.headers("GET", "/q", ())
    now[0] += 0.5
    same = await auth.headers("GET", "/q", ())
    now[0] += 1
    later = await auth.headers("GET", "/q", ())

    assert first == same
    assert dict(first)["x-ms-date"] == "Sun, 22 Nov 2026 12:00:00 GMT"
    assert dict(later)["x-ms-date"] == "Sun, 22 Nov 2026 12:00:01 GMT"
    assert dict(first)["Authorization"] != dict(later)["Authorization"]


async def test_a_shared_access_signature_adds_no_header() -> None:
    """It is part of the URL, so there is nothing to invalidate."""
    auth = SasAuth()
    auth.invalidate()

    assert await auth.headers("GET", "/q", ()) == ()


class Identity:
    """A credential whose tokens are valid for an hour, unless a test changes that."""

    def __init__(self, clock: list[float]) -> None:
        self.requested: list[str] = []
        self.error: Exception | None = None
        self.lifetime_s = 3600.0
        self._clock = clock

    async def get_token(self, *scopes: str, **_options: object) -> AccessToken:
        self.requested += scopes
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return AccessToken(f"token{len(self.requested)}", int(self._clock[0] + self.lifetime_s))

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> "Identity":
        return self

    async def __aexit__(self, *_exc: object) -> None:
        pass


def token(headers: Headers) -> str:
    """The token in a request's headers."""
    return dict(headers)["Authorization"].removeprefix("Bearer ")


async def test_a_token_is_renewed_five_minutes_before_it_expires() -> None:
    """Concurrent requests cause one renewal."""
    now = [NOON]
    identity = Identity(now)
    auth = TokenAuth(identity, lambda: now[0])

    several = await asyncio.gather(*(auth.headers("GET", "/q", ()) for _ in range(10)))
    now[0] += 3600 - RENEW_BEFORE_EXPIRY_S
    still = await auth.headers("GET", "/q", ())
    now[0] += 1
    renewed = await auth.headers("GET", "/q", ())

    assert {token(headers) for headers in (*several, still)} == {"token1"}
    assert token(renewed) == "token2"
    assert identity.requested == [SCOPE, SCOPE]


async def test_an_invalidated_token_is_not_sent_again() -> None:
    """It may have been revoked long before its expiry."""
    now = [NOON]
    auth = TokenAuth(Identity(now), lambda: now[0])

    await auth.headers("GET", "/q", ())
    auth.invalidate()

    assert token(await auth.headers("GET", "/q", ())) == "token2"


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError("the identity service is down"), QueueUnavailable),
        (ClientAuthenticationError("the identity is disabled"), QueueDenied),
    ],
)
async def test_a_token_that_cannot_be_renewed_is_sent_until_it_expires(
    error: Exception, raised: type[Exception]
) -> None:
    """After that the error names the identity, which is the setting to check."""
    now = [NOON]
    identity = Identity(now)
    auth = TokenAuth(identity, lambda: now[0])
    await auth.headers("GET", "/q", ())
    identity.error = error

    now[0] += 3600 - 1
    assert token(await auth.headers("GET", "/q", ())) == "token1"
    now[0] += 2
    with pytest.raises(raised, match=f"{error}.*the identity this process runs as"):
        await auth.headers("GET", "/q", ())


async def test_a_token_with_a_short_lifetime_is_not_renewed_at_every_request() -> None:
    """Its whole lifetime is shorter than the time before expiry at which one is renewed."""
    now = [NOON]
    identity = Identity(now)
    identity.lifetime_s = 60
    auth = TokenAuth(identity, lambda: now[0])

    for _ in range(5):
        await auth.headers("GET", "/q", ())

    assert len(identity.requested) == 1
