"""What arrives in one read is handled in pieces, each in a turn of the event loop of its own."""

import asyncio
from collections.abc import Callable
from typing import Final

PIECE_BYTES: Final = 65_536
"""The bytes whose packets are handled in one turn of the event loop."""


class Pieces:
    """Passes the bytes of one transport to `handle`, and pauses reading while some are left."""

    def __init__(self, transport: asyncio.Transport, handle: Callable[[bytes], None]) -> None:
        self._transport = transport
        self._handle = handle
        self._loop = asyncio.get_running_loop()
        self._left = b""

    def feed(self, data: bytes) -> None:
        """Handle the first piece of `data` now, and the rest in the next turns of the loop."""
        if self._left:
            self._left += data
            return
        if len(data) > PIECE_BYTES:
            self._transport.pause_reading()
            self._left = data[PIECE_BYTES:]
            data = data[:PIECE_BYTES]
            self._loop.call_soon(self._resume)
        self._handle(data)

    def _resume(self) -> None:
        left, self._left = self._left, b""
        if not self._transport.is_closing():
            self._transport.resume_reading()
            self.feed(left)
