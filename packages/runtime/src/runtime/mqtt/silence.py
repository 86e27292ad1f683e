"""How long a broker has been silent, and the keepalive: pure, the time is an argument (monotonic).

Silence counts only while the process runs: after SIGSTOP, a suspended machine or a blocked event
loop, what the broker sent meanwhile has not been read yet. The clock has to run while the machine
is suspended, so that such a pause is noticed.
"""

from typing import Final, Literal

STALL_S: Final = 3.0
"""A pause between two checks, which are a second apart, from which the process did not run."""


class Silence:
    """Measures the silence of one connection. `check_keepalive` is called once a second."""

    def __init__(self, now: float, keepalive_s: float) -> None:
        self._keepalive_s = keepalive_s
        self._received = self._checked = self._pinged = now

    def received(self, now: float) -> None:
        """Note that bytes have arrived."""
        self._received = now

    def silent_s(self, now: float) -> float:
        """Return how long nothing has arrived, in seconds."""
        self._notice_stall(now)
        return now - self._received

    def check_keepalive(self, now: float) -> Literal["ping", "lost"] | None:
        """Return what is due: a PINGREQ after each keepalive, or the end of the connection.

        The connection is lost when nothing has arrived between two PINGREQ. After a pause a PINGREQ
        is due at once, because the broker may have given the connection up meanwhile.
        """
        stalled = self._notice_stall(now)
        if not stalled and now - self._pinged < self._keepalive_s:
            return None
        if not stalled and self._received < self._pinged:
            return "lost"
        self._pinged = now
        if stalled:
            # The answer has to come after this PINGREQ.
            self._received = now - 1e-3
        return "ping"

    def _notice_stall(self, now: float) -> bool:
        stalled = now - self._checked > STALL_S
        self._checked = now
        if stalled:
            self._received = now
        return stalled
