"""Subscribe budget: how much a client may ask for again with `subscribe` messages. Pure.

A message of 40 bytes is answered by a snapshot of megabytes. So each costs what its snapshot has,
and a client whose messages cost more than the budget is closed with 4429.
"""

from typing import Final

MIN_COST_BYTES: Final = 32_768
"""What a message costs at least, because the smallest one takes some work as well."""

NAME_COST_BYTES: Final = 128
"""What each name in a message costs at least, also that of a pillow that nobody has."""

BURST_S: Final = 32
"""How long the rate may be saved up, in seconds."""

FULL_SNAPSHOTS: Final = 4
"""How many snapshots of the whole fleet a client may ask for at once, however large that is."""


class SubscribeBudget:
    """A leaky bucket of one client. Times are monotonic, in seconds."""

    __slots__ = ("_level", "_updated_s")

    def __init__(self, now_s: float) -> None:
        self._level = 0.0
        self._updated_s = now_s

    def take(self, cost_bytes: int, fleet_bytes: int, bytes_per_s: int, now_s: float) -> bool:
        """Return whether a message is within the budget, and charge what it costs if so.

        `bytes_per_s` is what the messages of a client may cost for ever, 0 for any amount, and
        `fleet_bytes` the size of a snapshot of all pillows.
        """
        if bytes_per_s == 0:
            return True
        self._level = max(0.0, self._level - (now_s - self._updated_s) * bytes_per_s)
        self._updated_s = now_s
        if self._level >= max(BURST_S * bytes_per_s, FULL_SNAPSHOTS * fleet_bytes):
            return False
        self._level += max(cost_bytes, MIN_COST_BYTES)
        return True
