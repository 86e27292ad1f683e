"""Reading rests: connections that are not read from for a while, because they send again and again.

To be told by the system that a socket has data, and to read it, costs some 25 µs however few bytes
there are, and all sockets that have some are read before anything else happens. A thousand clients
that each send a byte twenty times a second would take half of the processor; what they send between
two readings waits in the system, and is read at once.
"""

import asyncio
from itertools import islice
from typing import Final, Protocol

REST_S: Final = 0.5
"""How long a connection rests, in seconds: a thousand that always send take a twentieth of the
processor. It is less than connections.LINGER_S, in which a refused client must be read from."""

RESUMED_IN_A_TURN: Final = 16
"""How many connections are read again in one turn of the event loop, because all may have data."""


class Reading(Protocol):
    """What stops and starts the reading of a connection."""

    def pause_reading(self) -> None:
        """Read no more."""

    def resume_reading(self) -> None:
        """Read on."""

    def is_closing(self) -> bool:
        """Whether nothing is read any more."""


class Rested(Protocol):
    """A connection that is not read from for a while."""

    @property
    def transport(self) -> Reading:
        """What stops and starts its reading."""

    def read_again(self) -> None:
        """Read on, unless something else has stopped the reading."""


class ReadingRests:
    """The connections that rest, in the order in which their rests end."""

    def __init__(self, rest_s: float = REST_S) -> None:
        """`rest_s` is how long each rests, in seconds."""
        self._rest_s = rest_s
        self._ends_s: dict[Rested, float] = {}  # on the event loop's clock
        self._timer: asyncio.Handle | None = None

    def __len__(self) -> int:
        """Return how many connections rest."""
        return len(self._ends_s)

    def __contains__(self, connection: object) -> bool:
        """Return whether a connection rests."""
        return connection in self._ends_s

    def begin(self, connection: Rested) -> None:
        """Begin the rest of a connection whose reading was stopped; a rest is not prolonged."""
        loop = asyncio.get_running_loop()
        self._ends_s.setdefault(connection, loop.time() + self._rest_s)
        if self._timer is None:
            self._timer = loop.call_later(self._rest_s, self._end_those_due)

    def discard(self, connection: Rested) -> None:
        """Forget a connection, which is closed."""
        self._ends_s.pop(connection, None)

    def _end_those_due(self) -> None:
        """End the rests that are over, those that one turn of the event loop may have."""
        loop = asyncio.get_running_loop()
        due = islice(self._ends_s.items(), RESUMED_IN_A_TURN)
        over = [one for one, end_s in due if end_s <= loop.time()]
        try:
            for connection in over:
                del self._ends_s[connection]
                if not connection.transport.is_closing():
                    connection.read_again()
        finally:  # one that fails does not stop the others
            self._timer = self._timer_for_next(loop)

    def _timer_for_next(self, loop: asyncio.AbstractEventLoop) -> asyncio.Handle | None:
        next_s = next(iter(self._ends_s.values()), None)
        return None if next_s is None else loop.call_at(next_s, self._end_those_due)
