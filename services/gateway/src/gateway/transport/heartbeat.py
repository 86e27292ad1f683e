"""Heartbeats: one timer sends them to every client, and ends connections whose peer is dead."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from contract.frames import HEARTBEAT_S, Heartbeat, encode_frame, queue_offset
from gateway.fanout import encoding
from gateway.fanout.encoding import Frame
from gateway.transport.timing_wheel import BUCKETS
from runtime.queue_aware_clock import Clock

SURVEY_HEARTBEATS: Final = 16
"""Every so many heartbeats is a survey."""

_PING: Final = encoding.ping(b"")


class HeartbeatFrame:
    """One heartbeat, encoded once for all connections of a tick.

    With `is_survey` a connection also notes how much its peer has acknowledged, which costs a call
    of the system.
    """

    def __init__(
        self,
        now_ms: int,
        watching: int,
        queue_offset_ms: int | None = None,
        *,
        is_survey: bool = False,
    ) -> None:
        self.is_survey = is_survey
        heartbeat = Heartbeat(now_ms, watching, queue_offset(queue_offset_ms))
        self.frame = Frame(encode_frame(heartbeat))
        self.with_ping = _PING + self.frame.websocket


class Monitored(Protocol):
    """A connection that receives heartbeats."""

    def check(self, heartbeat: HeartbeatFrame) -> None:
        """Send a heartbeat; abort the connection if its peer is dead."""


class HeartbeatScheduler:
    """Checks every member of a timing wheel once in `period_s`."""

    def __init__(
        self,
        tick: Callable[[], Sequence[Monitored]],
        clock: Clock,
        watching: Callable[[], int],
        period_s: float = HEARTBEAT_S,
    ) -> None:
        """`tick` is the wheel's; `watching` returns the number of clients."""
        self._tick = tick
        self._clock = clock
        self._watching = watching
        self._tick_s = period_s / BUCKETS
        self._ticks = 0

    async def run(self) -> None:
        """Check the members, until cancelled."""
        while True:
            await asyncio.sleep(self._tick_s)
            self._check_next_bucket()

    def _check_next_bucket(self) -> None:
        members = self._tick()
        self._ticks += 1
        if members:
            now = self._clock.read()
            is_survey = self._ticks // BUCKETS % SURVEY_HEARTBEATS == 0
            heartbeat = HeartbeatFrame(
                now.wall_ms, self._watching(), now.queue_offset_ms, is_survey=is_survey
            )
            for member in members:
                member.check(heartbeat)
