"""One WebSocket to a gateway, on the library `websockets`."""

import contextlib
import json
import ssl as tls
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.http11 import Response
from websockets.typing import Subprotocol

SUBPROTOCOL: Final = Subprotocol("pillowcast.v1")
CONNECT_TIMEOUT_S: Final = 10.0

_CLOSE_TIMEOUT_S: Final = 1.0
_MAX_FRAME_BYTES: Final = 16 * 1024 * 1024  # a gateway's frames have some 64 KiB
_DETAIL_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Transport:
    """How the machine reaches the gateway."""

    ssl: tls.SSLContext | None = None
    """Which certificates are trusted; by default those of the machine."""
    proxy: str | Literal[True] | None = True
    """A proxy's URL; True: that of the environment, None: no proxy."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection or an attempt ended."""

    code: int | None
    reason: str
    asked_ms: float | None = None
    """How long the server asks to wait, by `Retry-After`."""


class NotOpened(Exception):
    """No connection was opened."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.reason)
        self.ending = ending


class WebSocket:
    """An open connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._lost = ""

    @classmethod
    async def open(cls, url: str, transport: Transport) -> "WebSocket":
        """Connect. Raises NotOpened."""
        more: dict[str, Any] = {} if transport.ssl is None else {"ssl": transport.ssl}
        try:
            connection = await _Connect(
                url,
                subprotocols=[SUBPROTOCOL],
                proxy=transport.proxy,
                open_timeout=CONNECT_TIMEOUT_S,
                close_timeout=_CLOSE_TIMEOUT_S,
                ping_interval=None,  # the gateway sends heartbeats, and the link measures silence
                max_size=_MAX_FRAME_BYTES,
                **more,
            )
        except InvalidStatus as error:
            raise NotOpened(_ending_of(error.response)) from None
        except TimeoutError:
            raise NotOpened(Ending(None, f"no answer in {CONNECT_TIMEOUT_S:.0f} s")) from None
        except (OSError, InvalidHandshake, EOFError) as error:
            raise NotOpened(Ending(None, f"{type(error).__name__}: {error}")) from None
        return cls(connection)

    async def messages(self) -> AsyncIterator[str | bytes]:
        """Yield each message until the connection is closed."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                yield await self._connection.recv()

    async def send(self, text: str) -> None:
        """Send a message; nothing is sent on a connection that is closed or is closing."""
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(text)

    def lose(self, reason: str) -> None:
        """Abort the connection; `ending` has this reason."""
        self._lost = reason
        self._connection.transport.abort()

    async def close(self) -> None:
        """Close the connection, and wait at most a second for the peer's answer."""
        await self._connection.close()

    @property
    def ending(self) -> Ending:
        """How the connection ended."""
        if self._lost:
            return Ending(None, self._lost)
        reason = self._connection.close_reason or "the connection was lost"
        return Ending(self._connection.close_code, reason)


class _Connect(connect):
    """Follows no redirect, because the client would send its token to the host that it names."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def _ending_of(response: Response) -> Ending:
    """Return how an attempt ended that got a response in place of a WebSocket.

    It comes from a proxy or another server, because a gateway refuses by a close code.
    """
    reason = f"HTTP {response.status_code}"
    location = response.headers.get("Location")
    if location is not None:
        reason += f", which points to {location[:_DETAIL_CHARS]}: pass that address as url"
    detail = _problem(response.body)
    if detail:
        reason += f": {detail}"
    asked = response.headers.get("Retry-After", "")
    seconds = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None
    return Ending(None, reason, None if seconds is None else seconds * 1000.0)


def _problem(body: bytes | bytearray | None) -> str:
    """Return the detail of a problem document; empty if it is none."""
    try:
        document = json.loads(body or b"")
    except (ValueError, RecursionError):
        return ""
    detail = document.get("detail") if isinstance(document, dict) else None
    return detail[:_DETAIL_CHARS] if isinstance(detail, str) else ""
