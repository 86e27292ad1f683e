"""How long to wait before the next attempt: exponential with full jitter, a pure function."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays in seconds: the first is drawn from 0..`first`, each next range doubles up to `most`.

    Full jitter spreads the attempts of many clients over the whole range, so that an outage's end
    is no stampede (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    """

    first: float
    most: float

    def delay(self, attempt: int, chance: float) -> float:
        """Return the delay before attempt `attempt` (0 is the first retry).

        `chance` lies in 0..1 and is the caller's randomness.
        The result is never below a twentieth of `first`: a retry loop must not spin.
        """
        ceiling = min(self.most, self.first * 2.0 ** min(attempt, 64))
        return max(self.first / 20, ceiling * chance)
