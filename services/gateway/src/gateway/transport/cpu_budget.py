"""CPU budget: a leaky bucket over seconds of CPU time. Pure.

Outbound cost is bounded by the rate of updates; inbound cost is chosen by the client, and a single
client that sends pings without a pause could use the whole process.
"""

from typing import Final

CPU_SHARE: Final = 0.2
"""The fraction of one CPU that inbound data of all clients may use."""

BURST_S: Final = 0.2
"""The CPU time that may be used at once after an idle time, in seconds: thousands of clients that
connect together and send one message each are not a flood."""


SLICE_S: Final = 0.0005
"""How much of one turn of the event loop inbound data may take, in seconds, before updates: a tenth
of the p99 that clients see without it."""

REQUEST_BURST_S: Final = 2.0
"""The same for handshakes and HTTP: ten thousand clients that connect again take about a second."""

REQUEST_SLICE_S: Final = 0.0005
"""How much of one turn of the event loop handshakes and HTTP may take, in seconds."""


class LeakyBucket:
    """A bucket that leaks `share` seconds a second. Times are monotonic, in seconds."""

    def __init__(self, now_s: float, share: float = CPU_SHARE, burst_s: float = BURST_S) -> None:
        self._share = share
        self._burst_s = burst_s
        self._updated_s = now_s
        self._level_s = 0.0

    def wait_s(self, now_s: float) -> float:
        """Return how long to wait before the next work, in seconds; 0 if there is budget now."""
        self._level_s = max(0.0, self._level_s - (now_s - self._updated_s) * self._share)
        self._updated_s = now_s
        return max(0.0, self._level_s - self._burst_s) / self._share

    def charge(self, cost_s: float) -> None:
        """Add the cost of work that was done, in seconds."""
        self._level_s += cost_s
