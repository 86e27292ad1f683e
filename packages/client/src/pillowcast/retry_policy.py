"""Decides when the next attempt to connect is made. Random numbers are arguments."""

import math
from typing import Final

from pillowcast.backoff import backoff, delay_within

TRY_AGAIN_LATER: Final = 1013
"""Close code of a gateway that is full."""
UNAUTHORIZED: Final = 4401
"""Close code of a gateway that needs a token, or another one."""
TOO_MANY_REQUESTS: Final = 4429
"""Close code of a gateway that received too many requests from this address."""

TOO_MANY_DELAY_MS: Final = 30_000.0
"""Shortest delay after TOO_MANY_REQUESTS."""
MAX_ASKED_MS: Final = 600_000.0
"""Longest wait that a server may ask for."""

FINAL_CODES: Final = frozenset({4400, UNAUTHORIZED, 4403, 4408})
"""Close codes after which another attempt would be refused as well."""

_MIN_ATTEMPT_IF_FULL: Final = 4
"""A full gateway refuses many clients at once: their first delay comes from a wider window."""


class RetryPolicy:
    """Counts failed attempts in a row."""

    def __init__(self) -> None:
        self._attempt = 0
        self._window: tuple[float, float] | None = None

    def is_final(self, code: int | None) -> bool:
        """Return whether a close code forbids another attempt."""
        return code in FINAL_CODES

    def start_attempt(self) -> None:
        """Forget the window that the last connection sent."""
        self._window = None

    def reset_attempts(self) -> None:
        """Count failed attempts from 0: the connection was stable."""
        self._attempt = 0

    def set_reconnect_window(self, window: tuple[float, float]) -> None:
        """Draw the next delay from this window in ms, which the gateway sent."""
        self._window = window

    def fail(self, code: int | None, random: float, asked_ms: float | None = None) -> float:
        """Count the attempt as failed, and return the delay in ms before the next one.

        `asked_ms` is what the server asks to wait; anything that is no time counts as none.
        """
        asked = 0.0 if asked_ms is None or math.isnan(asked_ms) else asked_ms
        delay = max(0.0, min(asked, MAX_ASKED_MS)) + self._delay(code, random)
        self._attempt += 1
        return delay

    def _delay(self, code: int | None, random: float) -> float:
        if self._window is not None:
            return delay_within(self._window, random)
        if code == TOO_MANY_REQUESTS:
            return TOO_MANY_DELAY_MS + backoff(self._attempt, random)
        at_least = _MIN_ATTEMPT_IF_FULL if code == TRY_AGAIN_LATER else 0
        return backoff(max(self._attempt, at_least), random)
