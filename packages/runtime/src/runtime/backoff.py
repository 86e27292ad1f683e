"""The delay before the next attempt: exponential with full jitter, a pure function."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays in seconds: the first is drawn from 0..`first_s`; each further range doubles,
    to `max_s`.

    Full jitter spreads the attempts of many clients over the whole range, so that they do not all
    return at once after an outage (Brooker, "Exponential Backoff And Jitter", AWS Architecture
    Blog, 2015).
    """

    first_s: float
    max_s: float

    def delay(self, attempt: int, jitter: float) -> float:
        """Return the delay before attempt `attempt` (0 is the first retry).

        `jitter` is a random number in 0..1 from the caller.
        The result is at least a twentieth of `first_s`, because a retry loop must not spin.
        """
        ceiling = min(self.max_s, self.first_s * 2.0 ** min(attempt, 64))
        return max(self.first_s / 20, ceiling * jitter)
