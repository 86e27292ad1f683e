"""Estimate of the queue's time, from the hops of states. Pure: the time is an argument.

Pollers stamp `hops.published` in the queue's time, so a state that arrives says what time it is at
the queue, less its way through the broker. The shortest way of the last minutes counts.
"""

from typing import Final

WINDOW_MS: Final = 60_000
"""A sample counts for one to two windows, so that the estimate follows a clock that was set."""

MAX_SOURCES: Final = 64
"""From how many pillows samples are kept in a window: memory and cost do not grow with a fleet."""

MAX_LEAD_MS: Final = 5_000
"""How far a pillow's sample may be ahead of the median; beyond, its publisher's clock is wrong."""


class QueueTimeEstimate:
    """The difference between the queue's time and a monotonic clock, in milliseconds.

    Each pillow has one sample, the earliest arrival; a median of pillows keeps one publisher with a
    wrong clock from moving the estimate.
    """

    def __init__(self) -> None:
        self.offset_ms: int | None = None
        """What has to be added to the monotonic clock; None while no state has told."""

        self._current: dict[str, int] = {}
        self._previous: dict[str, int] = {}
        self._window_start_ms = 0

    def observe(self, pillow: str, published_ms: int, arrival_ms: int) -> bool:
        """Record that a state published at `published_ms` (queue time) arrived.

        `arrival_ms` is on the monotonic clock. Return whether the estimate was made anew.
        """
        if not self._current:
            self._window_start_ms = arrival_ms
        elif arrival_ms - self._window_start_ms >= WINDOW_MS:
            # The window before stays, however long ago it was, because one late arrival after a
            # pause must not be the only sample.
            self._previous, self._current = self._current, {}
            self._window_start_ms = arrival_ms
        offset_ms = published_ms - arrival_ms
        known_ms = self._current.get(pillow)
        if offset_ms <= known_ms if known_ms is not None else len(self._current) >= MAX_SOURCES:
            return False
        self._current[pillow] = offset_ms
        self.offset_ms = self._estimated()
        return True

    def _estimated(self) -> int:
        earliest = dict(self._previous)
        for pillow, offset_ms in self._current.items():
            earliest[pillow] = max(offset_ms, earliest.get(pillow, offset_ms))
        offsets_ms = sorted(earliest.values())
        limit_ms = offsets_ms[(len(offsets_ms) - 1) // 2] + MAX_LEAD_MS
        return max(offset_ms for offset_ms in offsets_ms if offset_ms <= limit_ms)
