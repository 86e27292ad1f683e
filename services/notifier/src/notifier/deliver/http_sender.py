"""Sends requests with aiohttp: no redirects, verified certificates, and only allowed addresses."""

import asyncio
import base64
import errno
import socket
import ssl
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

import aiohttp

from notifier.deliver.resolver import Resolver
from notifier.deliver.retry_policy import Answer, clock_hint, parse_retry_after
from notifier.rules.literals import is_private
from notifier.rules.schema import Destination
from runtime.error_text import brief_error
from runtime.networks import address_of
from runtime.printable_text import on_one_line
from runtime.redaction import Redactor

MAX_EXCERPT_BYTES: Final = 300
EXCERPT_TIMEOUT_S: Final = 1.0
"""How much of the answer to a failed request is read for people, and for how long."""

USER_AGENT: Final = f"Pillowcast-Notifier/{version('pillowcast-notifier')}"


class AddressRefused(OSError):
    """A host has an address that its destination may not use."""


class HttpSender:
    """Posts to one destination."""

    def __init__(self, destination: Destination) -> None:
        """Raises ValueError for certificates that cannot be read."""
        self._destination = destination
        keys = [base64.b64encode(key).decode() for key in destination.keys]
        # An answer may quote them.
        self._redact = Redactor((destination.url, destination.token or "", *keys))
        try:
            context = ssl.create_default_context(cadata=destination.ca)
        except (ssl.SSLError, ValueError) as error:
            raise ValueError(f"has no certificate that can be read ({error})") from None
        self._resolver = Resolver()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=context,
                limit=2,
                force_close=True,
                resolver=self._resolver,
                socket_factory=self._open_socket,
            ),
            # Nothing of an answer is kept, and none is decompressed.
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=destination.timeout_s),
            headers={"User-Agent": USER_AGENT},
        )

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post a body; returns how it ended, and raises nothing."""
        all_headers = dict(headers)
        if self._destination.token is not None:
            all_headers["Authorization"] = f"Bearer {self._destination.token}"
        try:
            async with self._session.post(
                self._destination.url, data=body, headers=all_headers, allow_redirects=False
            ) as response:
                return await self._answer(response)
        except TimeoutError:
            return Answer(None, f"no answer within {self._destination.timeout_s:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(None, self._redact(brief_error(error)))

    async def close(self) -> None:
        """Close its connections."""
        await self._session.close()
        await self._resolver.close()

    async def _answer(self, response: aiohttp.ClientResponse) -> Answer:
        if 200 <= response.status < 300:
            return Answer(response.status)
        error = f"HTTP {response.status}"
        if 300 <= response.status < 400:
            error += ", a redirect, which is not followed; write the new URL"
        else:
            error += await self._excerpt(response)
        headers, wall_s = response.headers, time.time()
        if 400 <= response.status < 500:
            error += clock_hint(headers.get("Date"), wall_s)
        pause_s = parse_retry_after(headers.get("Retry-After"), headers.get("Date"), wall_s)
        return Answer(response.status, error, pause_s)

    async def _excerpt(self, response: aiohttp.ClientResponse) -> str:
        """Return the beginning of an answer's text, as the end of a sentence."""
        try:
            async with asyncio.timeout(EXCERPT_TIMEOUT_S):
                content = await response.content.read(MAX_EXCERPT_BYTES)
        except (TimeoutError, aiohttp.ClientError, OSError):
            return ""
        shown = on_one_line(content.decode(errors="replace"))
        return f": {self._redact(shown)}" if shown else ""

    def _open_socket(self, address: tuple[Any, ...]) -> socket.socket:
        """Open the socket for an address that was resolved, if it may be used."""
        family, kind, protocol, _, place = address
        found = address_of(str(place[0]))
        if not self._destination.allows_private and (found is None or is_private(found)):
            raise AddressRefused(
                errno.EACCES,
                f"{place[0]} is an address of a private network; private = true in "
                f"[destination.{self._destination.name}] allows it",
            )
        return socket.socket(family, kind, protocol)
