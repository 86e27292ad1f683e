"""Asset file: the forms in which a file of the page is served, as it is and compressed."""

import gzip
import hashlib
from functools import cached_property
from typing import Final

BINARY: Final = (".ico", ".png")
"""The extensions of files that are no texts."""

_MIN_COMPRESSED_BYTES: Final = 256  # below, gzip's header takes what compression saves


class AssetFile:
    """A file as it is served. It is compressed when somebody asks for it so, and once.

    Most modules are only served as parts of others, and to compress them all takes 0.1 s.
    """

    def __init__(self, name: str, body: bytes) -> None:
        """`name` says by its extension whether it is a text."""
        self.body = body
        self._is_text = not name.endswith(BINARY)
        self.etag = hashlib.sha256(body).hexdigest()[:16]

    @cached_property
    def compressed(self) -> bytes | None:
        """Its gzip form; None if that would not be smaller."""
        if not self._is_text or len(self.body) < _MIN_COMPRESSED_BYTES:
            return None
        compressed = gzip.compress(self.body, 9, mtime=0)
        return compressed if len(compressed) < len(self.body) else None
