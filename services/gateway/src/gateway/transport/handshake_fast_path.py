"""The first look at a connection: who wants to be told what happens needs no HTTP server for it.

Ten thousand browsers may come back within a second of a restart, and most say the same but for the
key of their handshake: what is said alike is read once.
Only a plain request for the WebSocket or the event stream, whole in one piece, is understood here;
every other connection is handed to the HTTP server with all it has said.
"""

import asyncio
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from gateway.transport.connections import Door, Refusal
from gateway.transport.handshake import Agreement, Headers, agree, is_key
from gateway.transport.http_protocol import HttpProtocol
from gateway.transport.upgrade import welcome_events, welcome_websocket

_LINE: Final = re.compile(rb"GET /(ws|events)(?:\?([!-~]*))? HTTP/1\.1(?=\r\n)")
_LINES: Final = re.compile(rb"(?:\r\n[A-Za-z0-9-]+:[\t -~\x80-\xff]*)+\r\n\r\n")
_KEY: Final = b"\r\nSec-WebSocket-Key: "
_KEY_BYTES: Final = 24
_MOST_BYTES: Final = 4096
_MOST_LINES: Final = 64
"""How much a head may say that is understood here: what was said is kept for a while."""
_BODY: Final = frozenset({b"content-length", b"transfer-encoding", b"expect"})


class _Handshake(NamedTuple):
    """What a handshake says by name, but for its key, and how it is accepted."""

    fields: Mapping[bytes, bytes]
    agreed: Agreement


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
        if not self._welcome(data):
            http = HttpProtocol(self._door, **self._options)
            http.connection_made(self._transport)
            self._transport.set_protocol(http)
            http.data_received(data)

    def _welcome(self, data: bytes) -> bool:
        """Say whether it is a browser's now."""
        line = _LINE.match(data)
        if line is None or len(data) - line.end() > _MOST_BYTES:
            return False
        path, query = line.groups(b"")
        if path == b"ws":
            before, _, after = data.partition(_KEY)
            key = after[:_KEY_BYTES]
            said = _shaken(before[line.end() :], after[_KEY_BYTES:]) if is_key(key) else None
            if said is None:
                return False
            fields, agreed = said
            welcome_websocket(
                self._door, self._transport, agreed.answer_to(key), agreed.deflate, query, fields
            )
            return True
        headers = _read(data[line.end() :])
        fields = dict(headers)
        if not headers or not _BODY.isdisjoint(fields):
            return False
        wish = self._door.admit(query, fields)
        if isinstance(wish, Refusal):
            return False
        default_headers = self._options["server_state"].default_headers
        welcome_events(self._door, self._transport, "1.1", headers, default_headers, wish)
        return True


@lru_cache(maxsize=256)
def _shaken(before: bytes, after: bytes) -> _Handshake | None:
    """Read the headers before and after a handshake's key; None if it is unusual in any way."""
    headers = _read(before + _KEY + after)
    fields = dict(headers)
    agreed = agree(headers, fields) if headers else None
    return None if agreed is None else _Handshake(fields, agreed)


def _read(lines: bytes) -> Headers:
    """Read what follows the line of a plain request; none if that is not headers, and one host."""
    if lines.count(b"\n") > _MOST_LINES or not _LINES.fullmatch(lines):
        return ()
    named = [line.partition(b":") for line in lines.split(b"\r\n")[1:-2]]
    headers = [(name.lower(), value.strip(b"\t ")) for name, _, value in named]
    return headers if sum(name == b"host" for name, _ in headers) == 1 else ()
