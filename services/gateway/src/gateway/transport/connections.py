"""Connection registry: every accepted socket, by the stage that its connection is in.

A connection is *pending* until the end of its request's head, then a *request* until the response
is complete, then *idle*; or a *client* once it is upgraded to a WebSocket or an event stream.
A request whose client does not read the response is *stalled*.
One that was refused, or ends, is *closing* until its peer has read why.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import partial
from typing import Final

from contract.frames import FULL
from gateway.metrics import GatewayMetrics
from gateway.transport.admission import Refusal
from gateway.transport.connection_limits import ConnectionLimits
from gateway.transport.in_turns import in_turns
from gateway.transport.limit_reports import LimitReports
from gateway.transport.message_deadlines import MessageDeadlines
from gateway.transport.open_files import is_out_of_files
from gateway.transport.refusal_reports import RefusalReports
from gateway.transport.registered import Client, Connection
from gateway.transport.timing_wheel import TimingWheel

LINGER_S: Final = 1.0
"""How long a connection that was refused, or ends, may take to read why and to close. Closing at
once with unread data makes TCP send a reset, which can overtake the close code."""

PENDING_GRACE_S: Final = 2.0
"""How long a pending connection is safe from eviction while sockets are left: ten thousand clients
that connect again together are all pending until the event loop has read what they sent."""

STALL_GRACE_S: Final = 2.0
"""How long a stalled response keeps its place from a request above the limit of requests."""

TRANSPORTS: Final = ("websocket", "events")
"""The values of the metrics' label `transport`."""

SWEEP_S: Final = 0.25


class Stage(StrEnum):
    """The stages of a connection that is no client, the first to be evicted first."""

    CLOSING = "closing"
    IDLE = "idle"
    PENDING = "pending"
    STALLED = "stalled"
    REQUEST = "request"


EVICTED: Final = (Stage.CLOSING, Stage.IDLE, Stage.PENDING, Stage.STALLED)
"""The stages that lose connections above the total; a response that is read is completed."""


class ConnectionRegistry:
    """All connections of the gateway, their limits, and their counts as metrics."""

    def __init__(
        self,
        metrics: GatewayMetrics,
        limits: ConnectionLimits,
        message_s: float = 30.0,
        request_s: float = 10.0,
    ) -> None:
        """`message_s` is how long a client may take to send a message that it has begun.

        `request_s` is the limit of each part of a request: until a new connection's first byte,
        from there to the end of the head, and of the body. A silent connection holds a file
        descriptor.
        """
        self.request_s = request_s
        self.messages = MessageDeadlines(message_s)
        self._message_s = message_s
        self.clients: TimingWheel[Client] = TimingWheel()
        self.limits = limits
        # Since when each is in its stage (monotonic, in seconds), the oldest first.
        self._stages: Mapping[Stage, dict[Connection, float]] = {stage: {} for stage in Stage}
        self._pending = self._stages[Stage.PENDING]
        self._is_closed = False
        self._metrics = metrics
        self._reports = LimitReports(metrics)
        self._refusals = RefusalReports(metrics)
        self.refusals = self._refusals.recent
        self._open = dict.fromkeys(TRANSPORTS, 0)
        self._start_us, self._last_opened_us = _now_us(), 0
        # The clients without a sign of life since their last heartbeat, the longest silent first.
        self._silent: dict[Client, None] = {}
        for kind in TRANSPORTS:
            metrics.connections.labels(kind).set_function(partial(self._open.__getitem__, kind))
        for stage, members in self._stages.items():
            metrics.sockets.labels(stage).set_function(members.__len__)
        metrics.silent.set_function(self._silent.__len__)

    def __len__(self) -> int:
        """Return the number of all accepted sockets."""
        return len(self.clients) + sum(map(len, self._stages.values()))

    @property
    def age_us(self) -> int:
        """How long it has existed, in microseconds: the clock of `opened_us`."""
        return _now_us() - self._start_us

    def count(self, stage: Stage) -> int:
        """Return the number of connections in a stage."""
        return len(self._stages[stage])

    @property
    def has_request_room(self) -> bool:
        """Whether one more ordinary request may be answered; a stalled one is evicted for it."""
        stalled = self._stages[Stage.STALLED]
        requests = len(self._stages[Stage.REQUEST]) + len(stalled)
        room = self.limits.total - self.limits.newcomers - len(self.clients)
        if requests < min(self.limits.requests, room):
            return True
        if stalled and next(iter(stalled.values())) < time.monotonic() - STALL_GRACE_S:
            self._evict(Stage.STALLED, "requests", self.limits.requests)
            return True
        self._reports.reached("requests", self.limits.requests, "refused")
        return False

    def end_overdue(self, connection: Connection) -> None:
        """Abort a connection whose request is incomplete for too long."""
        self._reports.reached("request", self.request_s, "closed")
        connection.abort()

    def accept(self, connection: Connection) -> None:
        """Add a new connection and start its timeout; above a limit the least worthy is evicted."""
        if self._is_closed:
            connection.shutdown()
            return
        now_s = time.monotonic()
        self._pending[connection] = now_s
        if len(self) > self.limits.total:
            self._evict_least_worthy()
        elif (
            len(self._pending) > self.limits.pending
            and next(iter(self._pending.values())) < now_s - PENDING_GRACE_S
        ):
            self._evict(Stage.PENDING, "pending", self.limits.pending)

    def move(self, connection: Connection, old: Stage, new: Stage) -> None:
        """Move a connection to another stage, or start its time in the same one again."""
        self._stages[old].pop(connection, None)
        self._stages[new][connection] = time.monotonic()
        if new is Stage.IDLE and len(self._stages[new]) > self.limits.idle:
            self._evict(new, "idle", self.limits.idle)

    def remove(self, connection: Connection, stage: Stage) -> None:
        """Remove a connection that is upgraded or closed; it may have been evicted before."""
        self._stages[stage].pop(connection, None)

    def register(self, client: Client) -> None:
        """Add a client; it receives heartbeats from now on. Its token may have been awaited."""
        self._pending.pop(client, None)
        self._last_opened_us = max(self._last_opened_us + 1, self.age_us)
        client.opened_us = self._last_opened_us
        self.clients.add(client)
        self._open[client.kind] += 1

    def start_closing(self, client: Client) -> None:
        """Take its place from a client that was refused or ends; LINGER_S later it is aborted."""
        self._leave(client)
        self._pending.pop(client, None)
        self._stages[Stage.CLOSING].setdefault(client, time.monotonic())

    def unregister(self, client: Client) -> None:
        """Remove a client, in whichever stage."""
        self._leave(client)
        self._pending.pop(client, None)
        self._stages[Stage.CLOSING].pop(client, None)

    def count_refused(self, refusal: Refusal) -> None:
        """Count a client that was refused, or closed because of what it sent."""
        self._refusals.refused(refusal)
        if refusal.code == FULL:
            self._reports.reached("clients", self.limits.clients, "refused")

    def note_silent(self, client: Client) -> None:
        """Note that a client gave no sign of life, so that its place may go to another one."""
        self._silent.setdefault(client)

    def note_alive(self, client: Client) -> None:
        """Note that a client that was silent is alive."""
        self._silent.pop(client, None)

    def evict_silent(self) -> bool:
        """Take its place from the client that has been silent for longest; return if there is one.

        A new client gets it, which may be alive.
        """
        client = next(iter(self._silent), None)
        if client is None:
            return False
        self._reports.reached("clients", self.limits.clients, "evicted")
        self._metrics.evicted.labels("silent").inc()
        self._leave(client)
        client.abort()
        return True

    def count_dead(self) -> None:
        """Count a client that was closed because it gave no sign of life."""
        self._metrics.dead.inc()

    def count_delayed(self, cpu_share: float) -> None:
        """Count a request that waits because handshakes and HTTP have used up their share."""
        self._reports.reached("request-cpu", cpu_share, "delayed")

    def count_above(self, limit: str, size: int, effect: str = "refused") -> None:
        """Count a request that is above a limit; `effect` is what happens to it."""
        self._reports.reached(limit, size, effect)

    def count_stalled(self) -> None:
        """Count a response that was ended because its client read nothing."""
        self._metrics.stalled.inc()

    async def run(self) -> None:
        """Abort connections that wait for too long, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now_s = time.monotonic()
            await in_turns(self._expire(Stage.PENDING, now_s - self.request_s))
            await in_turns(self._expire(Stage.CLOSING, now_s - LINGER_S))
            await in_turns(self._end_overdue_messages(now_s))
            if is_out_of_files():
                self._metrics.out_of_files.inc()
                self._reports.out_of_files(len(self))
                self._evict_least_worthy()

    def close(self) -> None:
        """Shut every connection down, and each one that is still accepted after that."""
        self._is_closed = True
        members = [one for stage in self._stages.values() for one in stage]
        for connection in (*members, *self.clients):
            connection.shutdown()

    def _leave(self, client: Client) -> None:
        self._silent.pop(client, None)
        self.messages.end(client)
        if self.clients.discard(client):
            self._open[client.kind] -= 1

    def _expire(self, stage: Stage, before_s: float) -> Iterator[None]:
        members = self._stages[stage]
        while members and next(iter(members.values())) < before_s:
            self._abort_oldest(stage)
            yield

    def _end_overdue_messages(self, now_s: float) -> Iterator[None]:
        for client in self.messages.pop_overdue(now_s):
            self._reports.reached("message", self._message_s, "closed")
            client.end_overdue_message()
            yield

    def _evict_least_worthy(self) -> None:
        stage = next((one for one in EVICTED if self._stages[one]), None)
        if stage is not None:
            self._evict(stage, "total", self.limits.total)
        else:
            self.evict_silent()

    def _evict(self, stage: Stage, limit: str, size: int) -> None:
        self._reports.reached(limit, size, "evicted")
        self._metrics.evicted.labels(stage).inc()
        self._abort_oldest(stage)

    def _abort_oldest(self, stage: Stage) -> None:
        connection = next(iter(self._stages[stage]))
        del self._stages[stage][connection]
        connection.abort()


def _now_us() -> int:
    return time.monotonic_ns() // 1000
