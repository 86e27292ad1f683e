"""Frame texts: the frames in the bytes that a client was sent, for a person to read. Pure."""

import zlib
from collections.abc import Iterator
from typing import Final

from gateway.fanout.encoding import Encoding

_COMPRESSED: Final = 0x40
_TEXT: Final = 0x1
_TAIL: Final = b"\x00\x00\xff\xff"
"""What permessage-deflate leaves out at the end of a message (RFC 7692 §7.2.1)."""


def frame_texts(data: bytes, encoding: Encoding) -> list[str]:
    """Return the JSON of each frame; what cannot be read is left out."""
    if encoding in (Encoding.WEBSOCKET, Encoding.DEFLATED):
        return list(_messages(data))
    return [
        line.removeprefix(b"data: ").decode(errors="replace")
        for line in data.split(b"\n")
        if line.startswith(b"data: ")
    ]


def _messages(data: bytes) -> Iterator[str]:
    """Yield the text messages of unmasked, unfragmented WebSocket frames (RFC 6455 §5.2)."""
    at = 0
    while at + 2 <= len(data):
        head, length, at = data[at], data[at + 1] & 0x7F, at + 2
        size = {126: 2, 127: 8}.get(length, 0)
        if size:
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        payload, at = data[at : at + length], at + length
        if head & 0xF != _TEXT:
            continue
        if head & _COMPRESSED:
            payload = zlib.decompressobj(-zlib.MAX_WBITS).decompress(payload + _TAIL)
        yield payload.decode(errors="replace")
