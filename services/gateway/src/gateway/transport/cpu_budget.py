"""Share: how much of the process's time may go to what browsers say. Pure.

Whoever is told what happens costs what happens; whoever speaks costs what it likes, and one browser
that never stops pinging could have all the time there is.
"""

from typing import Final

SHARE: Final = 0.2
"""How much of the time all that browsers say may take, of 1."""

BURST_S: Final = 0.2
"""How much may be taken at once when little was before, in seconds: thousands who come together and
each say a word are no flood."""


class Share:
    """When more may be taken in. Times are a clock's that only ever grows, in seconds."""

    def __init__(self, now_s: float) -> None:
        self._at_s = now_s
        self._spent_s = 0.0  # what the time since then has not made up for

    def wait_s(self, now_s: float) -> float:
        """Return how long nothing may be taken in; 0 when something may."""
        self._spent_s = max(0.0, self._spent_s - (now_s - self._at_s) * SHARE)
        self._at_s = now_s
        return max(0.0, self._spent_s - BURST_S) / SHARE

    def spend(self, cost_s: float) -> None:
        """Take in that something was, and took `cost_s`."""
        self._spent_s += cost_s
