"""The first look at a connection: who wants to be told what happens needs no HTTP server for it.

Ten thousand browsers may come back within a second of a restart.
A plain request for the WebSocket or the event stream, whole in one piece, is recognised here by one
pattern; every other connection is handed to the HTTP server with all it has said.
"""

import asyncio
import re
from typing import Any, Final

from gateway.door import Door, Refusal
from gateway.protocols import HttpProtocol
from gateway.welcome import welcome_events, welcome_websocket

_PLAIN: Final = re.compile(
    rb"GET (/(ws|events)(?:\?[!-~]*)?) HTTP/1\.1\r\n"
    rb"((?:[A-Za-z0-9-]+:[\t -~\x80-\xff]*\r\n)+)\r\n"
)
_BODY: Final = frozenset({b"content-length", b"transfer-encoding", b"expect"})


class Front(asyncio.Protocol):
    """A connection until its first bytes."""

    __slots__ = ("_door", "_options", "_transport")

    def __init__(self, door: Door, **options: Any) -> None:
        """`options` are the HTTP server's."""
        self._door = door
        self._options = options

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request, but not for ever."""
        self._transport = transport
        self._door.wait_for(self, self._options["server_state"].connections)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._door.has_spoken(self)

    def shutdown(self) -> None:
        """End: the server stops."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Find out who it is."""
        self._door.has_spoken(self)
        plain = _PLAIN.fullmatch(data)
        if plain is None or not self._welcome(plain):
            http = HttpProtocol(self._door, **self._options)
            http.connection_made(self._transport)
            self._transport.set_protocol(http)
            http.data_received(data)

    def _welcome(self, plain: re.Match[bytes]) -> bool:
        """Say whether it is a browser's now."""
        target, path, lines = plain.groups()
        named = [line.partition(b":") for line in lines.split(b"\r\n")[:-1]]
        headers = [(name.lower(), value.strip(b"\t ")) for name, _, value in named]
        fields = dict(headers)
        if path == b"ws":
            if b"upgrade" not in fields:
                return False
            welcome_websocket(self._door, self._transport, b"GET", target, "1.1", headers, fields)
            return True
        wish = self._door.admit(target.partition(b"?")[2], fields)
        if isinstance(wish, Refusal) or not _BODY.isdisjoint(fields):
            return False
        default_headers = self._options["server_state"].default_headers
        welcome_events(self._door, self._transport, "1.1", headers, default_headers, wish)
        return True
