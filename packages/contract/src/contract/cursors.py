"""Cursors: a client's position in the stream of one gateway process, `<epoch>:<offset>`."""

import re
from typing import Final, NamedTuple

_CURSOR: Final = re.compile(r"([a-z0-9]{1,32}):([0-9]{1,18})")


class Cursor(NamedTuple):
    """`epoch` names one gateway process's stream; `offset` is a position in it."""

    epoch: str
    offset: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.offset}"


def parse_cursor(text: str) -> Cursor | None:
    """Parse `<epoch>:<offset>`; None if `text` is not a cursor."""
    match = _CURSOR.fullmatch(text)
    return Cursor(match[1], int(match[2])) if match else None
