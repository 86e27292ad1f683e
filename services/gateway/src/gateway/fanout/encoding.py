"""Encoding: the bytes of a frame in each encoding, made once for all subscribers that get them.

Pure: the `websockets` library writes the WebSocket frames.
"""

from enum import StrEnum
from functools import cached_property
from typing import Final

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame as WebSocketFrame
from websockets.frames import Opcode

from contract.cursors import Cursor

MIN_DEFLATE_BYTES: Final = 1024
"""Shorter frames are not compressed: `scripts/bench gateway` shows what compression saves."""

_DEFLATE: Final = PerMessageDeflate(
    remote_no_context_takeover=True,
    local_no_context_takeover=True,
    remote_max_window_bits=15,
    local_max_window_bits=15,
    compress_settings={"level": 1},  # nine tenths of what level 6 saves, for a third of the time
)


class Encoding(StrEnum):
    """How a connection gets its frames; each value is the name of a property of `Frame`."""

    WEBSOCKET = "websocket"
    DEFLATED = "deflated"
    EVENT = "event"
    CHUNK = "chunk"


class Frame:
    """One frame of the contract, shared by all subscribers that get it.

    `cursor` is where a client that has the frame resumes; None when the frame moves no cursor.
    `updates` is how many pillows it carries.
    """

    def __init__(self, data: bytes, cursor: Cursor | None = None, *, updates: int = 0) -> None:
        self.data = data
        self.cursor = cursor
        self.updates = updates

    def encoded(self, encoding: Encoding) -> bytes:
        """Return the frame in an encoding; the same object each time."""
        data: bytes = getattr(self, encoding)
        return data

    @cached_property
    def websocket(self) -> bytes:
        """A WebSocket text message."""
        return WebSocketFrame(Opcode.TEXT, self.data).serialize(mask=False)

    @cached_property
    def deflated(self) -> bytes:
        """A WebSocket text message under permessage-deflate, compressed when that saves enough.

        Without context takeover a message depends on none before it, so it can be shared.
        """
        if len(self.data) < MIN_DEFLATE_BYTES:
            return self.websocket
        return deflated_message(self.data)

    @cached_property
    def event(self) -> bytes:
        """A Server-Sent Event; its id is the cursor."""
        # JSON may have line breaks between its tokens; in an event each line is a field.
        lines = self.data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\ndata: ")
        event_id = b"" if self.cursor is None else b"id: %b\n" % str(self.cursor).encode()
        return b"%bdata: %b\n\n" % (event_id, lines)

    @cached_property
    def chunk(self) -> bytes:
        """The Server-Sent Event as one chunk of an HTTP/1.1 response."""
        return chunk(self.event)


def deflated_message(text: bytes) -> bytes:
    """Return a compressed WebSocket text message."""
    return WebSocketFrame(Opcode.TEXT, text).serialize(mask=False, extensions=[_DEFLATE])


def chunk(body: bytes) -> bytes:
    """Return a piece of a response body in HTTP's chunked transfer coding."""
    return b"%x\r\n%b\r\n" % (len(body), body)


def ping(payload: bytes) -> bytes:
    """Return a WebSocket ping."""
    return WebSocketFrame(Opcode.PING, payload).serialize(mask=False)


def pong(payload: bytes) -> bytes:
    """Return a WebSocket pong; its payload is that of the ping it answers."""
    return WebSocketFrame(Opcode.PONG, payload).serialize(mask=False)
