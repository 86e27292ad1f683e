"""The bytes of a frame in each encoding: made once, shared by all connections that get it.

Pure: the `websockets` library writes the WebSocket forms, and nothing here knows who gets them.
"""

from enum import StrEnum
from functools import cached_property
from typing import Final

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode

from contract.cursors import Cursor

MIN_DEFLATE_BYTES: Final = 1024
"""Shorter frames are not compressed, in bytes: `scripts/bench gateway` shows what that saves."""

_DEFLATE: Final = PerMessageDeflate(
    remote_no_context_takeover=True,
    local_no_context_takeover=True,
    remote_max_window_bits=15,
    local_max_window_bits=15,
    compress_settings={"level": 1},  # nine tenths of what level 6 saves, for a third of the time
)


class Encoding(StrEnum):
    """How a browser gets its frames; each is the name of a property of Frame."""

    WEBSOCKET = "websocket"
    DEFLATED = "deflated"
    EVENT = "event"
    CHUNK = "chunk"


class Frame:
    """One frame, shared by everyone who gets it. `cursor` is None where it moves no cursor."""

    def __init__(
        self,
        data: bytes,
        cursor: Cursor | None = None,
        *,
        updates: int = 0,
        recovered: bool = False,
    ) -> None:
        self.data = data
        self.cursor = cursor
        self.updates = updates
        self.recovered = recovered

    def encoded(self, encoding: Encoding) -> bytes:
        """Return the frame in one of its forms."""
        formed: bytes = getattr(self, encoding)
        return formed

    @cached_property
    def websocket(self) -> bytes:
        """The frame as a WebSocket text message."""
        return WireFrame(Opcode.TEXT, self.data).serialize(mask=False)

    @cached_property
    def deflated(self) -> bytes:
        """The same where permessage-deflate was agreed: compressed when it is worth it.

        Without context takeover a message depends on none before it, so all share the one.
        """
        if len(self.data) < MIN_DEFLATE_BYTES:
            return self.websocket
        return compressed(self.data)

    @cached_property
    def event(self) -> bytes:
        """The frame as a Server-Sent Event; its id is the cursor."""
        # A state keeps the line breaks it came with; in an event each line is a field of its own.
        lines = self.data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\ndata: ")
        mark = b"" if self.cursor is None else b"id: %b\n" % str(self.cursor).encode()
        return b"%bdata: %b\n\n" % (mark, lines)

    @cached_property
    def chunk(self) -> bytes:
        """The event as one chunk of an HTTP/1.1 response."""
        return chunk(self.event)


def compressed(text: bytes) -> bytes:
    """Return a WebSocket text message, compressed."""
    return WireFrame(Opcode.TEXT, text).serialize(mask=False, extensions=[_DEFLATE])


def chunk(body: bytes) -> bytes:
    """Return a piece of a response's body in HTTP's chunked coding."""
    return b"%x\r\n%b\r\n" % (len(body), body)


def ping(payload: bytes) -> bytes:
    """Return a WebSocket ping, the same for all who are asked at once."""
    return WireFrame(Opcode.PING, payload).serialize(mask=False)


def pong(payload: bytes) -> bytes:
    """Return the answer to a WebSocket ping."""
    return WireFrame(Opcode.PONG, payload).serialize(mask=False)
