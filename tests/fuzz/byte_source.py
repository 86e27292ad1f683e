"""Byte source: the bytes of one input, taken as numbers, choices and pieces."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class ByteSource:
    """Bytes that are taken from the front; behind the end there are zeros."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        """Whether any byte is left."""
        return self._at < len(self._data)

    def byte(self) -> int:
        """Take one byte."""
        if not self:
            return 0
        self._at += 1
        return self._data[self._at - 1]

    def choice(self, options: Sequence[T]) -> T:
        """Take a byte that selects one of up to 256 options."""
        return options[self.byte() % len(options)]

    def piece(self) -> bytes:
        """Take a byte, and as many bytes as it says."""
        return self.take(self.byte())

    def take(self, size: int) -> bytes:
        """Take up to `size` bytes."""
        taken = self._data[self._at : self._at + size]
        self._at += len(taken)
        return taken

    def rest(self) -> bytes:
        """Take all that is left."""
        return self.take(len(self._data))


def cut(data: bytes, size: int) -> list[bytes]:
    """Return data in pieces of `size` bytes, as TCP may bring it."""
    return [data[at : at + size] for at in range(0, len(data), size)]
