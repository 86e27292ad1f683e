"""Spliced text: one that differs in one place between responses, compressed once. Pure."""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import Final

_GZIP_HEADER: Final = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"
_RAW: Final = -zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Spliced:
    """A whole text, its gzip form, and a hash of it."""

    body: bytes
    compressed: bytes
    etag: str


class SplicedText:
    """A text in two parts, between which another one is put.

    gzip's format is a sequence of blocks, so those of the parts are kept as they are. To compress
    the page anew would take ten milliseconds for each request.
    """

    def __init__(self, before: str, after: str) -> None:
        self._before, self._after = before.encode(), after.encode()
        self._packed_before = _blocks(self._before, zlib.Z_FULL_FLUSH)
        self._packed_after = _blocks(self._after, zlib.Z_FINISH)
        self._digest = hashlib.sha256(b"%d\0%b%b" % (len(before), self._before, self._after))

    def splice(self, text: str) -> Spliced:
        """Return the text with another one between its parts."""
        middle = text.encode()
        body = self._before + middle + self._after
        digest = self._digest.copy()
        digest.update(middle)
        packed = _blocks(middle, zlib.Z_SYNC_FLUSH, before=self._before)
        blocks = self._packed_before + packed + self._packed_after
        trailer = struct.pack("<II", zlib.crc32(body), len(body))
        return Spliced(body, _GZIP_HEADER + blocks + trailer, digest.hexdigest()[:16])


def _blocks(text: bytes, end: int, before: bytes = b"") -> bytes:
    """Return the compressed blocks of a text that refer to nothing but the text before it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, _RAW, zdict=before)
    return packer.compress(text) + packer.flush(end)
