"""Heartbeats: one timer sends them to every client, and ends connections whose peer is dead."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from contract.frames import HEARTBEAT_S, Heartbeat, encode_frame, queue_offset
from gateway.clock import Clock
from gateway.fanout import encoding
from gateway.fanout.encoding import Frame
from gateway.transport.timing_wheel import BUCKETS

_PING: Final = encoding.ping(b"")


class HeartbeatFrame:
    """One heartbeat, encoded once for all connections of a tick."""

    def __init__(self, now_ms: int, queue_offset_ms: int | None = None) -> None:
        self.frame = Frame(encode_frame(Heartbeat(now_ms, queue_offset(queue_offset_ms))))
        self.with_ping = _PING + self.frame.websocket


class Monitored(Protocol):
    """A connection that receives heartbeats."""

    def check(self, heartbeat: HeartbeatFrame) -> None:
        """Send a heartbeat; abort the connection if it gave no sign of life since the last."""


class HeartbeatScheduler:
    """Checks every member of a timing wheel once in `period_s`."""

    def __init__(
        self,
        tick: Callable[[], Sequence[Monitored]],
        clock: Clock,
        period_s: float = HEARTBEAT_S,
    ) -> None:
        """`tick` is the wheel's."""
        self._tick = tick
        self._clock = clock
        self._tick_s = period_s / BUCKETS

    async def run(self) -> None:
        """Check the members, until cancelled."""
        while True:
            await asyncio.sleep(self._tick_s)
            self._check_next_bucket()

    def _check_next_bucket(self) -> None:
        members = self._tick()
        if members:
            now = self._clock.read()
            heartbeat = HeartbeatFrame(now.wall_ms, now.queue_offset_ms)
            for member in members:
                member.check(heartbeat)
