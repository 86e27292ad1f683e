"""The authorization of a request: an account's key, a shared access signature, or an identity."""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from email.utils import formatdate
from typing import Final, Protocol

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError

from azure_queue.errors import no_credential, no_token
from azure_queue.service import API_VERSION

SCOPE: Final = "https://storage.azure.com/.default"
"""The scope of a token for Azure Storage."""

RENEW_BEFORE_EXPIRY_S: Final = 300.0
"""A token is renewed this long before it expires, so that no request carries an expired one."""

RENEW_INTERVAL_S: Final = 30.0
"""The least time between two requests for a token while the current one is still valid."""

BODY_TYPE: Final = "application/xml"
"""The content type of a request with a body."""

Query = Sequence[tuple[str, str]]
"""A request's query, decoded, sorted by name."""

Headers = tuple[tuple[str, str], ...]
"""Names and values of a request's headers."""


class Auth(Protocol):
    """Makes the headers that authorize a request."""

    async def headers(self, method: str, path: str, query: Query, length: int = 0) -> Headers:
        """Return the headers for a request whose body has `length` bytes of type BODY_TYPE.

        Raises QueueDenied or QueueUnavailable if no credential can be obtained.
        """

    def invalidate(self) -> None:
        """Discard a cached credential, because the service refused it."""


class SharedKeyAuth:
    """Signs with an account's key (Shared Key authorization for the Queue service)."""

    def __init__(self, account: str, key: str, clock: Callable[[], float] = time.time) -> None:
        self._account = account
        self._key = base64.b64decode(key)
        self._clock = clock
        self._second = -1
        self._formatted = ""

    async def headers(self, method: str, path: str, query: Query, length: int = 0) -> Headers:
        date = self._date()
        # The method, eleven standard headers, of which only a body sets two (length and type), then
        # the x-ms- headers, the resource and its query.
        body = f"{length}\n\n{BODY_TYPE}" if length else "\n\n"
        text = (
            f"{method}\n\n\n{body}\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:{API_VERSION}\n"
            f"/{self._account}{path}"
        ) + "".join([f"\n{name}:{value}" for name, value in query])
        digest = hmac.digest(self._key, text.encode(), hashlib.sha256)
        signature = base64.b64encode(digest).decode()
        return (
            ("x-ms-date", date),
            ("Authorization", f"SharedKey {self._account}:{signature}"),
        )

    def invalidate(self) -> None:
        pass

    def _date(self) -> str:
        # A date has whole seconds, so it is formatted once a second.
        now = int(self._clock())
        if self._second != now:
            self._second, self._formatted = now, formatdate(now, usegmt=True)
        return self._formatted


class SasAuth:
    """A shared access signature needs no header, because it is part of the queue's URL."""

    async def headers(self, method: str, path: str, query: Query, length: int = 0) -> Headers:
        return ()

    def invalidate(self) -> None:
        pass


class TokenAuth:
    """Sends an identity's token, which is cached until shortly before it expires."""

    def __init__(
        self, credential: AsyncTokenCredential, clock: Callable[[], float] = time.time
    ) -> None:
        self._credential = credential
        self._clock = clock
        self._token = ""
        self._expires_at = 0.0
        self._renew_at = 0.0
        self._renewing = asyncio.Lock()

    async def headers(self, method: str, path: str, query: Query, length: int = 0) -> Headers:
        now = self._clock()
        if now >= self._expires_at or (now > self._renew_at and not self._renewing.locked()):
            await self._renew()
        date = formatdate(self._clock(), usegmt=True)
        return (("x-ms-date", date), ("Authorization", f"Bearer {self._token}"))

    def invalidate(self) -> None:
        self._expires_at = self._renew_at = 0.0

    async def _renew(self) -> None:
        async with self._renewing:
            now = self._clock()
            if now <= self._renew_at and now < self._expires_at:
                return  # another request has renewed it meanwhile
            # Neither a failing credential nor one with a short lifetime is asked at every request.
            self._renew_at = now + RENEW_INTERVAL_S
            try:
                token = await self._credential.get_token(SCOPE)
            except (AzureError, OSError) as error:
                if now < self._expires_at:
                    return  # the current token is still valid
                self._renew_at = 0.0
                if isinstance(error, ClientAuthenticationError):
                    raise no_credential(str(error.message)) from error
                raise no_token(error) from error
            self._token = token.token
            self._expires_at = float(token.expires_on)
            self._renew_at = max(self._renew_at, self._expires_at - RENEW_BEFORE_EXPIRY_S)
