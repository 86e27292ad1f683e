"""Round trips: marks on a session's own topic that tell what the broker has sent before them."""

import asyncio

from runtime.mqtt.errors import BrokerLost


class RoundTrips:
    """The marks of one session that are not back yet. `token` is the session's."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._count = 0
        self._pending: dict[bytes, asyncio.Future[None]] = {}

    def start(self) -> tuple[bytes, "asyncio.Future[None]"]:
        """Return a new mark, and a future that is done when the mark is back."""
        self._count += 1
        mark = f"{self._token} round-trip-{self._count}".encode()
        returned: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending[mark] = returned
        return mark, returned

    def receive(self, mark: bytes) -> None:
        """Complete the round trip of a mark, if it is one of these."""
        returned = self._pending.pop(mark, None)
        if returned is not None and not returned.done():
            returned.set_result(None)

    def fail(self, error: BrokerLost) -> None:
        """Fail every round trip, because the connection has ended."""
        pending, self._pending = self._pending, {}
        for returned in pending.values():
            if not returned.done():
                returned.set_exception(error)
                returned.exception()  # retrieved, because nothing may await it
