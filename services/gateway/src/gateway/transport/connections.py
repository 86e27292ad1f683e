"""The door: which browsers come in, on whichever transport, and what all of them share."""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import parse_qsl

from contract.frames import BAD_MESSAGE, FORBIDDEN, FULL
from gateway.fanout.dispatcher import Dispatcher
from gateway.metrics import GatewayMetrics
from gateway.transport.admission import EVERYTHING, Wish, origin_allowed, read_wish
from gateway.transport.heartbeat import Guest, Upkeep
from gateway.transport.inbound_scheduler import Hearing

HEAD_S: Final = 10.0
"""How long a request's head may take, and then its body: who is silent holds a file descriptor."""


SILENT: Final = 100
"""How many may have said nothing yet, however full it is: who comes is to hear that it is full."""

KINDS: Final = ("websocket", "events")
"""The transports that browsers come by."""


class Speechless(Protocol):
    """A connection that has said nothing yet."""

    def shutdown(self) -> None:
        """End it."""


class Refusal(NamedTuple):
    """Why a browser does not come in, with the close code that says so."""

    code: int
    why: str


class Door:
    """Admits browsers, and knows who is in."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        upkeep: Upkeep,
        metrics: GatewayMetrics,
        clock: Callable[[], int],
        allowed_origins: Sequence[str],
        *,
        most: int,
        room: int = sys.maxsize,
    ) -> None:
        """`most` browsers are in at once; there is `room` for them and who says nothing yet."""
        self.dispatcher = dispatcher
        self.clock = clock
        self._connections: set[Any] = set()  # the server's own: what it ends when it stops
        self._silent: dict[Speechless, float] = {}  # who has yet to speak, since when
        self.upkeep = upkeep
        self.hearing = Hearing()
        self._metrics = metrics
        self._open = dict.fromkeys(KINDS, 0)
        for kind in KINDS:
            metrics.connections.labels(kind).set_function(partial(self._open.__getitem__, kind))
        self._allowed_origins = allowed_origins
        self._most = most
        self._room = room

    def admit(self, query: bytes, fields: Mapping[bytes, bytes]) -> Wish | Refusal:
        """Return what a browser wants, or why it may not come in; `fields` are its headers."""
        origin = _text(fields.get(b"origin"))
        if origin is not None and not origin_allowed(
            origin, _text(fields.get(b"host")), self._allowed_origins
        ):
            return Refusal(
                FORBIDDEN, f"origin {origin:.80} may not listen; see GATEWAY_ALLOWED_ORIGINS"
            )
        if len(self.upkeep) >= self._most:
            return Refusal(FULL, f"{self._most} browsers are here already; come back later")
        if not query and b"last-event-id" not in fields:
            return EVERYTHING
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else ()
        pillows = [value for name, value in pairs if name == "pillow"]
        since = next((value for name, value in pairs if name == "since"), None)
        wish = read_wish(pillows, _text(fields.get(b"last-event-id")) or since)
        return Refusal(BAD_MESSAGE, wish) if isinstance(wish, str) else wish

    def came(self, browser: Guest) -> None:
        """Look after a browser from now on."""
        self.upkeep.add(browser)
        self._connections.add(browser)
        self._open[browser.kind] += 1

    def left(self, browser: Guest) -> None:
        """Forget a browser that came."""
        self.upkeep.discard(browser)
        self._connections.discard(browser)
        self._open[browser.kind] -= 1

    def wait_for(self, connection: Speechless, connections: set[Any]) -> None:
        """Wait for the first words of a connection to a server that has these `connections`.

        Where there is no room, who has said nothing for the longest goes.
        """
        self._connections = connections
        connections.add(connection)
        self._silent[connection] = time.monotonic()
        silent = len(self._silent)
        if silent > SILENT and silent + len(self.upkeep) > self._room:
            self._end_oldest()

    def has_spoken(self, connection: Speechless) -> None:
        """Wait for a connection no longer."""
        self._connections.discard(connection)
        self._silent.pop(connection, None)

    async def run(self) -> None:
        """Look after everyone who is in, and end who says nothing for too long, until cancelled."""
        while True:
            await asyncio.sleep(self.upkeep.pause_s)
            self.upkeep.look_after()
            too_long_ago_s = time.monotonic() - HEAD_S
            # They are in the order in which they came.
            while self._silent and next(iter(self._silent.values())) < too_long_ago_s:
                self._end_oldest()

    def _end_oldest(self) -> None:
        """End the connection that has said nothing for the longest."""
        connection = next(iter(self._silent))
        self.has_spoken(connection)
        connection.shutdown()

    def count_refused(self, code: int) -> None:
        """Count a browser that was refused, or closed for its own fault."""
        self._metrics.refused.labels(str(code)).inc()


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
