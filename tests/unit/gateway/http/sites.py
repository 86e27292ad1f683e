"""Applications with an HTTP client, and tokens, for tests of the API."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
import jwt
from starlette.routing import Route

from gateway.auth.authenticator import Authenticator
from gateway.auth.keys import KeySet, secret_key
from gateway.auth.verifier import TokenRules, TokenVerifier
from gateway.http.app import create_app
from gateway.http.guard import Guard
from gateway.settings import GatewaySettings
from gateway.transport.access import AccessControl

SECRET = "s" * 32


def open_guard() -> Guard:
    """Return a guard that permits everything."""
    return Guard(None, lambda _refusal: None)


def token_guard() -> Guard:
    """Return a guard that asks for tokens."""
    rules = TokenRules(("HS256",), leeway_ms=0)
    verifier = TokenVerifier(
        rules, lambda: secret_key(SECRET), KeySet(), lambda _share: False, lambda _key_id: False
    )
    authenticator = Authenticator(verifier, lambda: time.time_ns() // 1_000_000)
    return Guard(AccessControl(authenticator), lambda _refusal: None)


def bearer(*pillows: str) -> Mapping[str, str]:
    """Return the header of a token that permits pillows."""
    claims = {"exp": int(time.time()) + 60, "pillows": list(pillows)}
    return {"Authorization": f"Bearer {jwt.encode(claims, SECRET, algorithm='HS256')}"}


@asynccontextmanager
async def site(*routes: Route) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of an application with some routes."""
    app = create_app(GatewaySettings.load(), routes)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client
