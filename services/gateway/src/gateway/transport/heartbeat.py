"""Upkeep: heartbeats for everyone who is connected, and an end for the dead, by one timer."""

from collections.abc import Callable
from typing import Final, Protocol

from contract.frames import HEARTBEAT_S, Heartbeat, encode_frame
from gateway.fanout import encoding
from gateway.fanout.encoding import Frame
from gateway.transport.timing_wheel import SPOKES, Wheel

_PING: Final = encoding.ping(b"")


class Beat:
    """One heartbeat, the same for all who get it together."""

    def __init__(self, now_ms: int) -> None:
        self.frame = Frame(encode_frame(Heartbeat(now_ms)))
        self.with_ping = _PING + self.frame.websocket


class Guest(Protocol):
    """Who is looked after."""

    @property
    def kind(self) -> str:
        """Its transport's name, for the metrics."""

    def look_after(self, beat: Beat) -> None:
        """Give a sign of life and ask for one; end it if it gave none since the last time."""


class Upkeep(Wheel[Guest]):
    """Looks after every browser once in `period_s`."""

    def __init__(self, clock: Callable[[], int], period_s: float = HEARTBEAT_S) -> None:
        super().__init__()
        self._clock = clock
        self.pause_s = period_s / SPOKES

    def look_after(self) -> None:
        """Look after those whose turn it is; to be called once in each `pause_s`."""
        browsers = self.turn()
        if browsers:
            beat = Beat(self._clock())
            for browser in browsers:
                browser.look_after(beat)
