"""Delays before the next attempt to connect. The random number is an argument."""

from typing import Final

MIN_DELAY_MS: Final = 500.0
MAX_DELAY_MS: Final = 20_000.0

_MAX_DOUBLINGS: Final = 16


def backoff(attempt: int, random: float) -> float:
    """Return a delay in ms, drawn evenly from a window that doubles with each failed attempt.

    A thousand clients that lost the same gateway then do not come back at once.
    """
    doubled = MIN_DELAY_MS * (1 << min(attempt, _MAX_DOUBLINGS))
    return MIN_DELAY_MS + random * min(MAX_DELAY_MS - MIN_DELAY_MS, doubled)


def delay_within(window: tuple[float, float], random: float) -> float:
    """Return a delay drawn evenly from a window that the gateway sent in its `goodbye`."""
    shortest, longest = window
    return shortest + random * (longest - shortest)
