"""Frame scanner: where WebSocket frames end in a stream of bytes, by their lengths alone. Pure.

Nothing is validated here; the `websockets` library does that, but has no public interface that
tells whether it is between two frames.
"""

from typing import Final

_COMPRESSED: Final = 0x40  # RSV1 (RFC 7692 §6)
_MASKED: Final = 0x80
_EMPTY_PONG_HEADER: Final = b"\x8a\x80"
_EMPTY_PONG_BYTES: Final = 6  # with the mask
_EXTENDED: Final = {126: 2, 127: 8}  # bytes of the length that follow the first two


class FrameScanner:
    """The position of one stream (RFC 6455 §5.2)."""

    __slots__ = ("_header", "_payload_left")

    def __init__(self) -> None:
        self._header = b""  # of a frame whose length is not known yet
        self._payload_left = 0

    @property
    def is_at_boundary(self) -> bool:
        """Whether the last byte was the last of a frame."""
        return not self._header and not self._payload_left

    def skip(self, size: int) -> int:
        """Advance by so many bytes if they end no frame; returns how many are left of it, or 0."""
        left = self._payload_left - size
        if left <= 0:
            return 0
        self._payload_left = left
        return left

    def feed(self, data: bytes) -> None:
        """Advance by the next bytes of the stream, of any number."""
        data = self._header + data
        position = 0
        while (left := len(data) - position) > 0:
            if self._payload_left:
                skipped = min(self._payload_left, left)
                self._payload_left -= skipped
                position += skipped
                continue
            sizes = _sizes_at(data, position)
            if sizes is None:
                break
            header, self._payload_left = sizes
            position += header
        self._header = data[position:]

    def reach(self, data: bytes, frames: int) -> int:
        """Return how many of the next bytes end with so many frames, without advancing.

        A compressed frame is the last of them. It is all bytes if they end fewer frames.
        """
        known = len(self._header)
        data = self._header + data
        position = self._payload_left
        if position:
            frames -= 1
        while frames > 0 and position < len(data):
            sizes = _sizes_at(data, position)
            if sizes is None:
                return len(data) - known
            frames = 0 if data[position] & _COMPRESSED else frames - 1
            position += sum(sizes)
        return min(position, len(data)) - known


def empty_pongs(data: bytes) -> int:
    """Return how many masked pongs without a payload these bytes are; 0 if they are anything else.

    They are the answers to heartbeats' pings, which is all that most clients ever send.
    """
    if not data.startswith(_EMPTY_PONG_HEADER):
        return 0
    count, left = divmod(len(data), _EMPTY_PONG_BYTES)
    are_pongs = (
        not left
        and data[::_EMPTY_PONG_BYTES] == _EMPTY_PONG_HEADER[:1] * count
        and data[1::_EMPTY_PONG_BYTES] == _EMPTY_PONG_HEADER[1:] * count
    )
    return count if are_pongs else 0


def _sizes_at(data: bytes, position: int) -> tuple[int, int] | None:
    """Return the sizes of a frame's header and payload; None if the header is incomplete."""
    left = len(data) - position
    second = data[position + 1] if left > 1 else 0
    extended = _EXTENDED.get(second & 0x7F, 0)
    header = 2 + extended + (4 if second & _MASKED else 0)
    if left < header:
        return None
    length = data[position + 2 : position + 2 + extended]
    return header, int.from_bytes(length) if extended else second & 0x7F
