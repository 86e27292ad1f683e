"""The gateway's clocks: a monotonic clock, the wall clock, and the queue's time as far as known."""

from collections.abc import Callable
from typing import NamedTuple

from contract.timestamps import FIRST_PLAUSIBLE_US
from gateway.queue_time import QueueTimeEstimate
from runtime.clocks import monotonic_s, unix_ms


def monotonic_ms() -> int:
    """Return `runtime.clocks.monotonic_s` in milliseconds.

    It also runs while the machine sleeps, so that a state from before is old afterwards.
    """
    return int(monotonic_s() * 1000)


class Reading(NamedTuple):
    """All clocks at one moment, in milliseconds.

    `queue_ms` is the queue's time, None while it is not known. `reference_ms` is the best known
    time to judge the clocks of others by: the queue's time where that is known, else the later of
    the wall clock and what the wall clock would show had it not been set since the start; None
    where neither was ever set.
    """

    monotonic_ms: int
    wall_ms: int
    queue_ms: int | None
    reference_ms: int | None

    @property
    def queue_offset_ms(self) -> int | None:
        """What has to be added to `wall_ms` to get the queue's time; None where that is unknown."""
        return None if self.queue_ms is None else self.queue_ms - self.wall_ms


class Clock:
    """Durations are measured by `monotonic_ms`; `wall_ms` is for `sent`, `since` and display."""

    def __init__(
        self, wall: Callable[[], int] = unix_ms, monotonic: Callable[[], int] = monotonic_ms
    ) -> None:
        self.wall_ms = wall
        self.monotonic_ms = monotonic
        self.queue_time = QueueTimeEstimate()
        self._start_offset_ms = wall() - monotonic()

    def read(self) -> Reading:
        """Read all clocks."""
        monotonic_ms, wall_ms = self.monotonic_ms(), self.wall_ms()
        offset_ms = self.queue_time.offset_ms
        if offset_ms is not None:
            queue_ms = monotonic_ms + offset_ms
            return Reading(monotonic_ms, wall_ms, queue_ms, queue_ms)
        reference_ms = max(wall_ms, monotonic_ms + self._start_offset_ms)
        is_set = reference_ms * 1000 >= FIRST_PLAUSIBLE_US
        return Reading(monotonic_ms, wall_ms, None, reference_ms if is_set else None)
