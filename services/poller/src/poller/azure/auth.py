"""Who asks: a request's proof for an account's key, a shared access signature, or an identity."""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from email.utils import formatdate
from typing import Final, Protocol

from azure.core.credentials_async import AsyncTokenCredential

from poller.azure.errors import API_VERSION

SCOPE: Final = "https://storage.azure.com/.default"
"""What a token is asked for: Azure Storage."""

RENEW_BEFORE_S: Final = 300.0
"""A token is replaced this long before it ends, so that no request carries one that has ended."""

ASK_AGAIN_S: Final = 30.0
"""The pause between two questions for a token while there is one that is still good."""

BODY_TYPE: Final = "application/xml"

Query = Sequence[tuple[str, str]]
"""A request's query, decoded, in the order of its names."""


class Signer(Protocol):
    """Gives a request the header lines that prove who asks; each ends with CR LF."""

    async def sign(self, verb: str, path: str, query: Query, length: int = 0) -> str:
        """Return the lines for a request with a body of so many bytes, of type BODY_TYPE.

        Raises what the credential raises.
        """

    def refused(self) -> None:
        """Take in that the service did not accept the last proof."""


class KeySigner:
    """Signs with an account's key (Shared Key authorization for the Queue service)."""

    def __init__(self, account: str, key: str, clock: Callable[[], float] = time.time) -> None:
        self._account = account
        self._key = base64.b64decode(key)
        self._clock = clock
        self._said: tuple[int, str] = (-1, "")

    async def sign(self, verb: str, path: str, query: Query, length: int = 0) -> str:
        date = self._date()
        # The verb, eleven standard headers, of which only a body brings two (its length, its type),
        # then ours, the resource and its query.
        body = f"{length}\n\n{BODY_TYPE}" if length else "\n\n"
        text = (
            f"{verb}\n\n\n{body}\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:{API_VERSION}\n"
            f"/{self._account}{path}"
        ) + "".join([f"\n{name}:{value}" for name, value in query])
        digest = hmac.digest(self._key, text.encode(), hashlib.sha256)
        signature = base64.b64encode(digest).decode()
        return f"x-ms-date: {date}\r\nAuthorization: SharedKey {self._account}:{signature}\r\n"

    def refused(self) -> None:
        pass

    def _date(self) -> str:
        now = int(self._clock())
        if self._said[0] != now:
            self._said = (now, formatdate(now, usegmt=True))
        return self._said[1]


class UrlSigner:
    """For a shared access signature: it is in the queue's URL already."""

    async def sign(self, verb: str, path: str, query: Query, length: int = 0) -> str:
        return ""

    def refused(self) -> None:
        pass


class TokenSigner:
    """Shows an identity's token, kept until shortly before its end."""

    def __init__(
        self, credential: AsyncTokenCredential, clock: Callable[[], float] = time.time
    ) -> None:
        self._credential = credential
        self._clock = clock
        self._line = ""
        self._ends_s = 0.0
        self._renew_s = 0.0
        self._asking = asyncio.Lock()

    async def sign(self, verb: str, path: str, query: Query, length: int = 0) -> str:
        now = self._clock()
        if now >= self._ends_s or (now > self._renew_s and not self._asking.locked()):
            await self._renew()
        return f"x-ms-date: {formatdate(self._clock(), usegmt=True)}\r\n{self._line}"

    def refused(self) -> None:
        self._ends_s = self._renew_s = 0.0

    async def _renew(self) -> None:
        async with self._asking:
            now = self._clock()
            if now <= self._renew_s and now < self._ends_s:
                return  # somebody else has asked meanwhile
            # Neither one that cannot be had nor one that is short-lived from the start must be
            # asked for at every request.
            self._renew_s = now + ASK_AGAIN_S
            try:
                token = await self._credential.get_token(SCOPE)
            except Exception:
                if now < self._ends_s:
                    return  # the one there is will do for a while
                self._renew_s = 0.0
                raise
            self._line = f"Authorization: Bearer {token.token}\r\n"
            self._ends_s = float(token.expires_on)
            self._renew_s = max(self._renew_s, self._ends_s - RENEW_BEFORE_S)
