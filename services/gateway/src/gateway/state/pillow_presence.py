"""What is known of one pillow beside its state: when it was seen, and whether it is connected.

Pure: the time is an argument.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class PillowPresence:
    """Times are in milliseconds of reachable time, see presence.Instant.

    `connection` is the number of the broker connection on which the pillow was received last.
    """

    last_seen_ms: int
    connection: int
    shown_ms: int = 0
    is_connected: bool = False
    is_offline: bool = False
    clock_is_behind: bool = False

    def copy(self) -> "PillowPresence":
        """Return a copy, which may change before it is certain that all of a change succeeds."""
        return PillowPresence(
            self.last_seen_ms,
            self.connection,
            self.shown_ms,
            self.is_connected,
            self.is_offline,
            self.clock_is_behind,
        )

    def reconnect(self, expire_after_ms: int, now_ms: int) -> bool:
        """Decide whether the pillow is connected; return whether that changed."""
        was_connected = self.is_connected
        deadline_ms = self.last_seen_ms + expire_after_ms
        self.is_connected = not self.is_offline and deadline_ms > now_ms
        return self.is_connected != was_connected
