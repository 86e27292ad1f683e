"""The delay before the next attempt: exponential with full jitter, a pure function."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays in seconds: the first is drawn from 0..`first`; each further range doubles, to `most`.

    Full jitter spreads the attempts of many clients over the whole range, so that they do not all
    return at once after an outage (Brooker, "Exponential Backoff And Jitter", AWS Architecture
    Blog, 2015).
    """

    first: float
    most: float

    def delay(self, attempt: int, chance: float) -> float:
        """Return the delay before attempt `attempt` (0 is the first retry).

        `chance` is a random number in 0..1 from the caller.
        The result is at least a twentieth of `first`, because a retry loop must not spin.
        """
        ceiling = min(self.most, self.first * 2.0 ** min(attempt, 64))
        return max(self.first / 20, ceiling * chance)
