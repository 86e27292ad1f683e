"""The same bytes for many: the loop in which the gateway spends its time.

A transport's own `write` looks at its state, notes the bytes, and comes back to them; for who has
nothing waiting the system takes them at once. `scripts/bench gateway` shows what that saves.
It is `send`, not `os.write`: that one looks at a file first, which is measurably dearer.
"""

from collections.abc import Sequence
from itertools import repeat
from socket import SocketType, socket
from typing import Final


def _nowhere() -> SocketType:
    closed = socket()
    closed.close()
    return closed


CLOSED_SOCKET: Final = _nowhere()
"""A socket that takes nothing, ever: for who is to be written to by its transport only."""


def send_to_all(data: bytes, sockets: Sequence[SocketType]) -> list[int]:
    """Send the same to each; return how many bytes each took.

    One that fails for good took none: its transport finds out, and ends it.
    """
    taken: list[int] = []
    sending = map(SocketType.send, sockets, repeat(data))  # nothing is interpreted for each
    while len(taken) < len(sockets):
        try:
            taken.extend(sending)
        except OSError:
            taken.append(0)
    return taken
