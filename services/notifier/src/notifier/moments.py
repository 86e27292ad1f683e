"""The clocks of the notifier: silence is measured only while somebody could be heard."""

from notifier.detect.pillow import Moment
from runtime.clocks import monotonic_s, unix_ms
from runtime.reachable_time import ReachableTime


class Moments:
    """Time during which the broker was there, and during which a poller was, too."""

    def __init__(self) -> None:
        self._broker, self._queue = ReachableTime(), ReachableTime()

    def now(self) -> Moment:
        """Return this moment on all clocks."""
        now_ms = _monotonic_ms()
        return Moment(self._broker.advance(now_ms), self._queue.advance(now_ms), unix_ms())

    def set_reachable(self, *, broker: bool, queue: bool) -> None:
        """Note who is there from now on."""
        now_ms = _monotonic_ms()
        for clock, runs in ((self._broker, broker), (self._queue, broker and queue)):
            if runs:
                clock.start(now_ms)
            else:
                clock.stop(now_ms)


def _monotonic_ms() -> int:
    return round(monotonic_s() * 1000)
