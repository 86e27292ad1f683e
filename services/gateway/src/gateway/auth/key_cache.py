"""Key cache: a key set that is fetched by URL, kept, and fetched anew as keys are rotated."""

import asyncio
import json
import math
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from typing import Final
from urllib.request import HTTPRedirectHandler, Request, build_opener

import structlog

from gateway.auth.keys import KeySet, parse_key_set
from runtime.clocks import monotonic_s

log = structlog.get_logger()

REFRESH_S: Final = 600.0
"""The time after which keys are fetched anew; providers announce a new key hours before its use."""

MIN_INTERVAL_S: Final = 10.0
"""The least time between two fetches, whatever tokens with unknown keys arrive."""

FETCH_TIMEOUT_S: Final = 5.0
"""How long the provider may be silent, and how long the body of its answer may take."""

MAX_DOCUMENT_BYTES: Final = 262_144


MAX_ASKED: Final = 256
"""How many unknown key ids are remembered; tokens can name any number of them."""


class FetchError(Exception):
    """A key set could not be fetched or read; the message says why."""


class _NoRedirects(HTTPRedirectHandler):
    """Makes a redirect an error: keys come from the URL that was set, and from nowhere else."""

    def redirect_request(self, *_arguments: object) -> None:
        """Follow none."""


_OPENER: Final = build_opener(_NoRedirects)


def fetch_key_set(url: str) -> KeySet:
    """Fetch a key set; blocks for up to some seconds. Raises FetchError."""
    request = Request(url, headers={"Accept": "application/json"})  # noqa: S310 - checked setting
    try:
        with _OPENER.open(request, timeout=FETCH_TIMEOUT_S) as response:
            body = _read_in_time(response)
    except (OSError, ValueError, HTTPException) as error:
        raise FetchError(str(error) or type(error).__name__) from error
    if len(body) > MAX_DOCUMENT_BYTES:
        raise FetchError(f"the answer has more than {MAX_DOCUMENT_BYTES} bytes")
    try:
        keys = parse_key_set(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise FetchError("the answer is no JSON") from error
    if isinstance(keys, str):
        raise FetchError(keys)
    return keys


def _read_in_time(response: HTTPResponse) -> bytes:
    """Return a body, or its beginning if it is too long. Raises TimeoutError if it is too slow."""
    body, end_s = bytearray(), monotonic_s() + FETCH_TIMEOUT_S
    while len(body) <= MAX_DOCUMENT_BYTES and (piece := response.read1(MAX_DOCUMENT_BYTES)):
        body += piece
        if monotonic_s() > end_s:
            raise TimeoutError(f"the answer was not complete within {FETCH_TIMEOUT_S:g} s")
    return bytes(body)


class KeyCache:
    """The keys of one URL. The last ones stay in use while the URL cannot be reached."""

    def __init__(
        self, url: str, monotonic_s: Callable[[], float], fetch: Callable[[str], KeySet]
    ) -> None:
        self._url = url
        self._shown_url = url.partition("?")[0]  # a query may hold a key
        self._monotonic_s = monotonic_s
        self._fetch = fetch
        self._wake = asyncio.Event()
        self._last_fetch_s: float | None = None
        self._answered_s = -math.inf  # when the last fetch began that was not in vain
        self._asked_s: dict[str | None, float] = {}  # by key id, the first time, the oldest first
        self.keys = KeySet()
        self.last_error: str | None = None
        """Why the last fetch failed; None if it did not."""

    def ask_for_unknown_key(self, key_id: str | None) -> bool:
        """Fetch the keys soon, because a token names an unknown one; return whether that is so.

        Only a fetch that began after it was asked for tells that there is no such key: the keys may
        have been rotated just after the last one.
        """
        now_s = self._monotonic_s()
        asked_s = self._asked_s.setdefault(key_id, now_s)
        if len(self._asked_s) > MAX_ASKED:
            del self._asked_s[next(iter(self._asked_s))]
        if asked_s <= self._answered_s and self._age_s < MIN_INTERVAL_S and self.keys.keys:
            return False
        self._wake.set()
        return True

    async def run(self) -> None:
        """Fetch the keys at once, then by age and when asked; until it is cancelled."""
        while True:
            self._wake.clear()
            await self._refresh()
            await asyncio.sleep(MIN_INTERVAL_S)
            try:
                async with asyncio.timeout(MIN_INTERVAL_S if self.last_error else REFRESH_S):
                    await self._wake.wait()
            except TimeoutError:
                pass

    @property
    def _age_s(self) -> float:
        return self._monotonic_s() - (self._last_fetch_s or 0.0)

    async def _refresh(self) -> None:
        began_s = self._monotonic_s()
        try:
            # A thread, because the standard library's HTTP client blocks. It is seldom.
            self.keys = await asyncio.to_thread(self._fetch, self._url)
        except FetchError as error:
            if self.last_error is None:
                log.warning(
                    "the keys for tokens could not be fetched; the known ones stay in use, and it "
                    "is tried again",
                    url=self._shown_url,
                    error=str(error),
                    known=len(self.keys.keys),
                    retry_in_s=MIN_INTERVAL_S,
                )
            self.last_error = str(error)
        else:
            if self.last_error is not None:
                log.info("the keys for tokens were fetched again", url=self._shown_url)
            self.last_error = None
            self._answered_s = began_s
        self._last_fetch_s = self._monotonic_s()
