"""Receive low-water mark: how many bytes the system gathers before it wakes this process.

Within a frame nothing can be done before its last byte has come. A thousand clients that send a
byte a second would otherwise wake the process a thousand times a second.
"""

import asyncio
import socket
from contextlib import suppress
from typing import Final

GATHERED_BYTES: Final = 4096
"""The most that is gathered: little of the receive buffer, so that a fast client never stops."""


def gather(transport: asyncio.Transport, size: int) -> None:
    """Let the system gather so many bytes, at most GATHERED_BYTES; every socket begins with 1.

    The end of the stream is told at once. Without effect where the system does not know it
    (SO_RCVLOWAT, socket(7)).
    """
    own = transport.get_extra_info("socket")
    if own is not None and transport.get_extra_info("sslcontext") is None:
        with suppress(OSError):
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, min(size, GATHERED_BYTES))
