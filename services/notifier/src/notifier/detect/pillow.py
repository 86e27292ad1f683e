"""One pillow, as far as it was heard of. Pure."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from contract.updates import Update
from notifier.detect.marks import Silence, StateKey

NO_STATE: Final[StateKey] = (0, 0, -1)


def state_key(update: Update) -> StateKey:
    """Return what distinguishes a state, and a later sign of life, from every other one."""
    return (*update.order, -1 if update.queued_ms is None else update.queued_ms)


class Moment(NamedTuple):
    """One moment on three clocks, in milliseconds.

    `broker_ms` runs while the broker is there, `queue_ms` while a poller and its queue are, too:
    nobody can be heard of otherwise, so silence is measured by these. `wall_ms` is Unix time, for
    display.
    """

    broker_ms: int
    queue_ms: int
    wall_ms: int


@dataclass(slots=True)
class Pillow:
    """A pillow. Its times are on the clock of the queue if it reports by the queue."""

    update: Update | None = None
    by_queue: bool = False
    is_offline: bool | None = False
    """Whether its availability says so, and nothing came since; None where that is not known."""
    is_armed: bool = False
    """Whether it was heard of, so that its silence is news."""
    seen_ms: int = 0
    episode: int = 0
    """The number of its changes of state."""
    began: Update | None = None
    """The state with which the last change began."""
    connection: int = 0
    """The connection to the broker on which something of it came last."""
    kept: Silence | None = None
    """What was kept of its silence before a restart, until its state has come."""
    timed: set[int] = field(default_factory=set)
    """The offline rules that have a timer for it."""
    handled: set[int] = field(default_factory=set)
    """The offline rules that have seen this silence."""
    told: set[int] = field(default_factory=set)
    """The offline rules that have told it."""
    waiting: set[int] = field(default_factory=set)
    """The state rules whose time has passed, and that wait for a report that says so still."""

    @property
    def state_key(self) -> StateKey:
        """What distinguishes its newest state from every other one, see Silence."""
        if self.update is None:
            return NO_STATE if self.kept is None else self.kept.state
        return state_key(self.update)

    def restore(self, kept: Silence, now: Moment) -> None:
        """Take over what was kept of its silence before a restart."""
        self.kept = kept
        self.by_queue, self.is_offline = kept.by_queue, kept.is_offline
        self.seen_ms = self.clock_ms(now) - kept.silent_ms

    def clock_ms(self, now: Moment) -> int:
        """Return the time on the clock that this pillow's silence is measured by."""
        return now.queue_ms if self.by_queue else now.broker_ms

    def hear(self, now: Moment, *, by_queue: bool) -> None:
        """Note a sign of life."""
        self.by_queue = by_queue
        self.seen_ms = self.clock_ms(now)
        self.is_offline = False
        self.is_armed = True
        self.handled.clear()

    def silent_ms(self, now: Moment) -> int:
        """Return for how long nothing was heard of it."""
        return self.clock_ms(now) - self.seen_ms
