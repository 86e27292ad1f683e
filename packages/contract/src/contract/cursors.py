"""Cursors: where in one gateway process's stream a client is, `<epoch>:<offset>`."""

import re
from typing import Final, NamedTuple

_CURSOR: Final = re.compile(r"([a-z0-9]{1,32}):([0-9]{1,18})")


class Cursor(NamedTuple):
    """`epoch` names a process's stream, `offset` a place in it."""

    epoch: str
    offset: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.offset}"


def parse_cursor(text: str) -> Cursor | None:
    """Read a cursor; None for anything that is none."""
    match = _CURSOR.fullmatch(text)
    return Cursor(match[1], int(match[2])) if match else None
