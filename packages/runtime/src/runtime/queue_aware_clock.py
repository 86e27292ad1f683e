"""The clocks of a service that hears states: monotonic, wall, and queue time as far as known."""

from collections.abc import Callable
from typing import Final, NamedTuple

from contract.timestamps import FIRST_PLAUSIBLE_US
from contract.updates import EXPIRY_S, Update
from runtime.clocks import monotonic_s, unix_ms
from runtime.queue_time import QueueTimeEstimate

LIVE_STATE_MS: Final = 60_000
"""How long a live state of a poller is awaited that tells the queue's time, in milliseconds."""


def monotonic_ms() -> int:
    """Return `runtime.clocks.monotonic_s` in milliseconds.

    It also runs while the machine sleeps, so that a state from before is old afterwards.
    """
    return int(monotonic_s() * 1000)


class Reading(NamedTuple):
    """All clocks at one moment, in milliseconds.

    `queue_ms` is the queue's time, None while it is not known. `reference_ms` is the best known
    time to judge the clocks of others by: the queue's time where that is known, or told to a second
    or two by retained states; else the later of the wall clock and what the wall clock would show
    had it not been set since the start; None where neither was ever set.
    """

    monotonic_ms: int
    wall_ms: int
    queue_ms: int | None
    reference_ms: int | None

    @property
    def queue_offset_ms(self) -> int | None:
        """What has to be added to `wall_ms` to get the queue's time; None where that is unknown."""
        return None if self.queue_ms is None else self.queue_ms - self.wall_ms

    @property
    def best_ms(self) -> int:
        """The queue's time as far as it is known, for what has to have an instant."""
        return self.queue_ms or self.reference_ms or self.wall_ms

    @property
    def best_us(self) -> int:
        """The same in microseconds, the unit of instants in the history."""
        return self.best_ms * 1000


class Clock:
    """Durations are measured by `monotonic_ms`; `wall_ms` is for `sent`, `since` and display."""

    def __init__(
        self, wall: Callable[[], int] = unix_ms, monotonic: Callable[[], int] = monotonic_ms
    ) -> None:
        self.wall_ms = wall
        self.monotonic_ms = monotonic
        self.queue_time = QueueTimeEstimate()
        self._retained_time = QueueTimeEstimate()
        self._start_offset_ms = wall() - monotonic()
        self._settles_ms: int | None = None

    @property
    def is_settled(self) -> bool:
        """Whether nothing is expected that would tell the queue's time for the first time."""
        if self.queue_time.offset_ms is not None or self._retained_time.offset_ms is not None:
            return True
        return self._settles_ms is not None and self.monotonic_ms() >= self._settles_ms

    def settle(self, *, has_pollers: bool) -> None:
        """Note that the broker's retained states have arrived, and whether pollers sent any."""
        if self._settles_ms is None:
            self._settles_ms = self.monotonic_ms() + (LIVE_STATE_MS if has_pollers else 0)

    def observe(
        self, update: Update, now: Reading, expiry_s: int | None, *, retained: bool
    ) -> bool:
        """Learn the queue's time from a state; return whether it is known better than before.

        What a retained state tells is the time of its publication, and by its expiry how long the
        broker has had it.
        """
        if update.published_ms is None:
            return False
        if not retained:
            return self.queue_time.observe(update.pillow, update.published_ms, now.monotonic_ms)
        if expiry_s is None or expiry_s >= EXPIRY_S:
            return False  # a broker that does not count down says nothing
        queue_ms = update.published_ms + (EXPIRY_S - expiry_s) * 1000
        return self._retained_time.observe(update.pillow, queue_ms, now.monotonic_ms)

    def read(self) -> Reading:
        """Read all clocks."""
        monotonic_ms, wall_ms = self.monotonic_ms(), self.wall_ms()
        offset_ms = self.queue_time.offset_ms
        if offset_ms is not None:
            queue_ms = monotonic_ms + offset_ms
            return Reading(monotonic_ms, wall_ms, queue_ms, queue_ms)
        retained_ms = self._retained_time.offset_ms
        if retained_ms is not None:
            return Reading(monotonic_ms, wall_ms, None, monotonic_ms + retained_ms)
        reference_ms = max(wall_ms, monotonic_ms + self._start_offset_ms)
        is_set = reference_ms * 1000 >= FIRST_PLAUSIBLE_US
        return Reading(monotonic_ms, wall_ms, None, reference_ms if is_set else None)
