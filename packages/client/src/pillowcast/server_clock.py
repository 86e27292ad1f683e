"""Estimates the gateway's clock, because the local one may be minutes wrong and ages must not be.

Local times come from a monotonic clock in ms, because anybody may set the wall clock.
"""

from dataclasses import dataclass
from typing import Final

MEASUREMENT_VALID_MS: Final = 300_000.0
"""A newer measurement replaces an older one than this, even a better one: clocks drift."""
MIN_JUMP_MS: Final = 1_000.0
"""A larger contradiction is no error of a measurement: a clock was set, or stood still."""


@dataclass(slots=True)
class _Measurement:
    offset: float
    round_trip: float
    at: float


class ServerClock:
    """The difference between the gateway's clock and the local monotonic one."""

    def __init__(self) -> None:
        self._measurement: _Measurement | None = None
        self._floor = _WindowedMax()

    def observe(self, sent: float, now: float) -> bool:
        """Use the send time of a frame; return whether the measurement is wrong and a ping is due.

        The frame has travelled for an unknown time, so the true offset is at least the difference.
        """
        difference = sent - now
        measured = self._measurement
        self._floor.add(difference, now)
        if measured is None or difference <= measured.offset:
            return False
        # No frame arrives before it is sent: a clock stood still, or was set.
        if difference > measured.offset + measured.round_trip / 2 + MIN_JUMP_MS:
            self._measurement = None
            self._floor = _WindowedMax()
            self._floor.add(difference, now)
            return True
        measured.offset = difference
        return False

    def observe_pong(self, sent: float, received: float, now: float) -> None:
        """Use a pong: the gateway received halfway between the local send time and now."""
        round_trip = now - sent
        if round_trip < 0:
            return
        best = self._measurement
        offset = received - (sent + round_trip / 2)
        is_better = (
            best is None or round_trip <= best.round_trip or now - best.at > MEASUREMENT_VALID_MS
        )
        # Two right measurements differ by half of both round trips at most.
        is_refuted = (
            best is not None
            and abs(offset - best.offset) > (round_trip + best.round_trip) / 2 + MIN_JUMP_MS
        )
        if is_better or is_refuted:
            self._measurement = _Measurement(offset, round_trip, now)
        if is_refuted:
            self._floor = _WindowedMax()

    @property
    def offset_ms(self) -> float | None:
        """The gateway's clock minus the local monotonic one; None without an estimate."""
        return self._floor.value if self._measurement is None else self._measurement.offset

    @property
    def round_trip_ms(self) -> float | None:
        """The shortest measured round trip; None before the first pong."""
        return None if self._measurement is None else self._measurement.round_trip


class _WindowedMax:
    """The largest of the values of the last one to two windows."""

    def __init__(self) -> None:
        self._started_at: float | None = None
        self._current: float | None = None
        self._previous: float | None = None

    def add(self, value: float, now: float) -> None:
        if self._started_at is None or now - self._started_at >= MEASUREMENT_VALID_MS:
            self._previous, self._current = self._current, None
            self._started_at = now
        self._current = value if self._current is None else max(self._current, value)

    @property
    def value(self) -> float | None:
        values = [one for one in (self._previous, self._current) if one is not None]
        return max(values, default=None)
