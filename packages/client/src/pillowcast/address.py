"""The gateway's address: a text, or a function that is called for each connection."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Final

from pillowcast.gateway_url import stream_url, without_credentials
from pillowcast.web_socket import CONNECT_TIMEOUT_S, Ending, NotOpened

Url = str | Callable[[], str | Awaitable[str]]

_UNKNOWN: Final = "the gateway that url() names"


class Address:
    """Where the gateway is now. Raises TypeError or ValueError for a text that is no URL."""

    def __init__(self, url: Url) -> None:
        self._function = url if callable(url) else None
        self._stream_url = None if callable(url) else stream_url(url)

    @property
    def shown(self) -> str:
        """The URL to show, of the newest attempt."""
        return _UNKNOWN if self._stream_url is None else without_credentials(self._stream_url)

    async def find(self) -> str:
        """Return the URL of the WebSocket for the next attempt.

        Raises NotOpened if the function fails or names no gateway: that is an outage, because
        another call may find one.
        """
        if self._function is not None:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    found = self._function()
                    url = await found if inspect.isawaitable(found) else found
                self._stream_url = stream_url(url)
            except TimeoutError:
                reason = f"no url: no answer in {CONNECT_TIMEOUT_S:.0f} s"
                raise NotOpened(Ending(None, reason)) from None
            except Exception as error:
                raise NotOpened(Ending(None, f"no url: {error}")) from error
        assert self._stream_url is not None
        return self._stream_url
