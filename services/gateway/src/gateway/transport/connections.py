"""Connection registry: every accepted socket, by the stage that its connection is in.

A connection is *pending* until its first byte, then an *HTTP* connection while it sends ordinary
requests, and a *client* once it is upgraded to a WebSocket or an event stream.
"""

import asyncio
import sys
import time
from functools import partial
from typing import Final, Protocol

from gateway.metrics import GatewayMetrics
from gateway.transport.heartbeat import Monitored
from gateway.transport.timing_wheel import TimingWheel

REQUEST_HEADER_TIMEOUT_S: Final = 10.0
"""The limit of each stage of a request, in seconds: until a new connection's first byte, from there
to the end of the head, and of the body. A silent connection holds a file descriptor."""

MAX_PENDING: Final = 100
"""Limit of connections without a request. They are allowed even when the gateway is full, so that
a new client can be sent close code 1013."""

TRANSPORTS: Final = ("websocket", "events")
"""The values of the metrics' label `transport`."""

_SWEEP_S: Final = 0.5


class PendingConnection(Protocol):
    """A connection that is no client yet."""

    def shutdown(self) -> None:
        """Close it: after the response that is being sent, if there is one."""


class Client(Monitored, Protocol):
    """A connection that was upgraded."""

    @property
    def kind(self) -> str:
        """One of TRANSPORTS."""

    def shutdown(self) -> None:
        """End it."""


class ConnectionRegistry:
    """All connections of the gateway, and their counts as metrics."""

    def __init__(self, metrics: GatewayMetrics, *, max_connections: int = sys.maxsize) -> None:
        """`max_connections` bounds pending connections and clients together."""
        self.clients: TimingWheel[Client] = TimingWheel()
        self._pending: dict[
            PendingConnection, float
        ] = {}  # since when (monotonic, in seconds), the oldest first
        self._http: set[PendingConnection] = set()
        self._max_connections = max_connections
        self._is_closed = False
        self._metrics = metrics
        self._open = dict.fromkeys(TRANSPORTS, 0)
        for kind in TRANSPORTS:
            metrics.connections.labels(kind).set_function(partial(self._open.__getitem__, kind))

    @property
    def pending(self) -> int:
        """The number of connections without a request."""
        return len(self._pending)

    @property
    def http(self) -> int:
        """The number of connections that have sent a byte and are not upgraded."""
        return len(self._http)

    def register_pending(self, connection: PendingConnection) -> None:
        """Add a new connection and start its timeout; above the limits the oldest is evicted."""
        if self._is_closed:
            connection.shutdown()
            return
        self._pending[connection] = time.monotonic()
        pending = len(self._pending)
        if pending > MAX_PENDING and pending + len(self.clients) > self._max_connections:
            self._evict_oldest()

    def unregister_pending(self, connection: PendingConnection) -> None:
        """Remove a connection that has sent a byte or is closed; this stops its timeout."""
        self._pending.pop(connection, None)

    def register_http(self, connection: PendingConnection) -> None:
        """Add a connection that sends ordinary requests."""
        self._http.add(connection)

    def unregister_http(self, connection: PendingConnection) -> None:
        """Remove a connection that is upgraded or closed."""
        self._http.discard(connection)

    def register(self, client: Client) -> None:
        """Add a client; it receives heartbeats from now on."""
        self.clients.add(client)
        self._open[client.kind] += 1

    def unregister(self, client: Client) -> None:
        """Remove a client that was registered."""
        self.clients.discard(client)
        self._open[client.kind] -= 1

    def count_refused(self, code: int) -> None:
        """Count a client that was refused, or closed because of what it sent."""
        self._metrics.refused.labels(str(code)).inc()

    async def run(self) -> None:
        """Close connections whose request does not begin in time, until cancelled."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            expired_s = time.monotonic() - REQUEST_HEADER_TIMEOUT_S
            while self._pending and next(iter(self._pending.values())) < expired_s:
                self._evict_oldest()

    def close(self) -> None:
        """Shut every connection down, and each one that is still accepted after that."""
        self._is_closed = True
        for connection in (*self._pending, *self._http, *self.clients):
            connection.shutdown()

    def _evict_oldest(self) -> None:
        connection = next(iter(self._pending))
        self.unregister_pending(connection)
        connection.shutdown()
