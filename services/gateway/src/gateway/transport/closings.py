"""Closings: connections whose clients have ended them are closed a few at a time.

To close one takes some 60 µs, most of them in the system. A thousand whose clients leave together,
as with a proxy that ends, would hold the event loop for that long before any update is sent.
That is for connections that end as they should. A reset is handled by uvloop at once, which costs
half as much.
"""

import asyncio
from collections import deque
from typing import Final

CLOSED_IN_A_TURN: Final = 8
"""How many are closed in one turn of the event loop: half a millisecond's work."""


class ClosingQueue:
    """The transports that are to be closed, in the order in which their clients ended them."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Transport] = deque()
        self._closed = 0  # in this turn of the event loop
        self._turn: asyncio.Handle | None = None

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def close_in_turn(self, transport: asyncio.Transport) -> bool:
        """Let a transport be closed when it is its turn.

        Returns what `eof_received` is to return (asyncio.Protocol): whether the transport stays
        open for now, and is closed here; otherwise asyncio closes it at once.
        """
        is_later = bool(self._waiting) or self._closed >= CLOSED_IN_A_TURN
        if is_later:
            self._waiting.append(transport)
        else:
            self._closed += 1
        self._ensure_turn()
        return is_later

    def _ensure_turn(self) -> None:
        if self._turn is None:
            self._turn = asyncio.get_running_loop().call_soon(self._run_turn)

    def _run_turn(self) -> None:
        self._turn, self._closed = None, 0
        try:
            while self._waiting and self._closed < CLOSED_IN_A_TURN:
                self._closed += 1
                self._waiting.popleft().close()
        finally:  # one that fails does not stop the others
            if self._closed:
                self._ensure_turn()
