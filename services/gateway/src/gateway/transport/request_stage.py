"""Request stage: how far a connection is with its request, and the timers that end a slow one."""

import asyncio
from typing import Final

from gateway.transport.connections import Stage
from gateway.transport.context import TransportContext
from gateway.transport.inbound_scheduler import PART_BYTES
from gateway.transport.registered import Connection
from gateway.transport.unread import descriptor_of, read_peer

UNHURRIED_PARTS: Final = 8
"""In how many parts a head or a body may come before small ones are read less often."""


class RequestStage:
    """The stage of a connection in the registry, its deadline, and the watch over its reading."""

    __slots__ = (
        "_acknowledged", "_connection", "_context", "_deadline", "_parts", "_size", "_stall",
        "_transport", "current",
    )  # fmt: skip

    def __init__(
        self, context: TransportContext, connection: Connection, transport: asyncio.Transport
    ) -> None:
        self.current = Stage.PENDING
        self._parts = self._size = 0  # of the head or body that is incomplete: number, and bytes
        self._context = context
        self._connection = connection
        self._transport = transport
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._acknowledged = 0  # of a stalled response, in bytes

    def enter(self, stage: Stage) -> None:
        """Move to another stage, or start the time of the same one again."""
        self._context.registry.move(self._connection, self.current, stage)
        self.current = stage

    def leave(self) -> None:
        """Stop every timer, and leave the registry; it is not used after that."""
        self.stop_deadline()
        self._stop_stall_timeout()
        self._context.registry.remove(self._connection, self.current)
        del self._connection  # break the reference cycle

    def restart_deadline(self) -> None:
        """Abort the connection GATEWAY_REQUEST_TIMEOUT from now, unless it is stopped."""
        self.stop_deadline()
        self._deadline = asyncio.get_running_loop().call_later(
            self._context.registry.request_s, self._end_overdue
        )

    def _end_overdue(self) -> None:
        self._context.registry.end_overdue(self._connection)

    def stop_deadline(self) -> None:
        """Let a request take as long as it does; its head or all of it is complete."""
        self._parts = self._size = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def ensure_deadline(self) -> None:
        """Start the deadline, if it does not run."""
        if self._deadline is None:
            self.restart_deadline()

    def add_part(self, size: int) -> bool:
        """Note that a part of a head or body has come that does not end it.

        Returns whether it comes in many small parts; each PART_BYTES allow one more.
        """
        self._parts += 1
        self._size += size
        return self._parts > UNHURRIED_PARTS + self._size // PART_BYTES

    def stall(self) -> None:
        """Note that the client does not read the response."""
        if self.current is Stage.REQUEST:
            self._acknowledged = self._acknowledged_bytes()
            self.enter(Stage.STALLED)
            self._restart_stall_timeout()

    def resume(self, next_stage: Stage) -> None:
        """Note that the client has read everything."""
        if self.current is Stage.STALLED:
            self._stop_stall_timeout()
            self.enter(next_stage)

    def _acknowledged_bytes(self) -> int:
        return read_peer(self._transport, descriptor_of(self._transport)).acknowledged

    def _restart_stall_timeout(self) -> None:
        self._stall = asyncio.get_running_loop().call_later(
            self._context.traffic.response_s, self._end_if_stalled
        )

    def _stop_stall_timeout(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _end_if_stalled(self) -> None:
        """Abort a response of which nothing was read for GATEWAY_RESPONSE_TIMEOUT."""
        before, self._acknowledged = self._acknowledged, self._acknowledged_bytes()
        if self._acknowledged > before:
            self._restart_stall_timeout()
        else:
            self._context.registry.count_stalled()
            self._transport.abort()
