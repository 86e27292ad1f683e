"""Reachable time: how long the broker has been reachable in all. Pure: the time is an argument."""


class ReachableTime:
    """A clock that runs only while the broker is reachable, in milliseconds.

    Silence is measured by it, because a pillow cannot be received while the broker is away. It goes
    on where it stopped, so a connection that is lost again and again does not restart a silence.
    """

    def __init__(self) -> None:
        self._total_ms = 0
        self._last_ms: int | None = None

    def advance(self, now_ms: int) -> int:
        """Return the reachable time at `now_ms`, which is on a monotonic clock.

        A step back of that clock, which a virtual machine may cause, adds nothing.
        """
        if self._last_ms is not None:
            self._total_ms += max(0, now_ms - self._last_ms)
            self._last_ms = now_ms
        return self._total_ms

    def start(self, now_ms: int) -> None:
        """Start the clock; without effect while it runs."""
        if self._last_ms is None:
            self._last_ms = now_ms

    def stop(self, now_ms: int) -> None:
        """Stop the clock; without effect while it stands."""
        self.advance(now_ms)
        self._last_ms = None
