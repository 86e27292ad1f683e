"""When the number of clients is published. Pure."""

from typing import Final

INTERVAL_S: Final = 10.0
"""The time between two publishes while there are clients. The same number is repeated, because
another process with the same instance name may have written that there are none."""

CROSSING_S: Final = 0.2
"""The least time between two publishes otherwise: at once after a quiet moment. A client that
connects and leaves in a loop causes five publishes a second at most."""

RENEWAL_S: Final = 86_400.0
"""After how long it is repeated that there are no clients, because the broker drops it in time."""


class WatchingSchedule:
    """What was published on the current connection to the broker, and when."""

    def __init__(self) -> None:
        self._published: int | None = None
        self._published_s = 0.0

    def record(self, clients: int, now_s: float) -> None:
        """Note that a number was published."""
        self._published, self._published_s = clients, now_s

    def forget(self) -> None:
        """Note that another connection has begun: the broker may have lost what was published."""
        self._published = None

    def wait_s(self, clients: int, now_s: float) -> float:
        """Return the seconds until this number is published, if it stays the same."""
        if self._published is None:
            return 0.0
        is_crossing = (clients == 0) != (self._published == 0)
        interval_s = CROSSING_S if is_crossing else INTERVAL_S if clients else RENEWAL_S
        return max(0.0, self._published_s + interval_s - now_s)
