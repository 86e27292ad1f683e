"""Traffic limits: what one connection may ask for, and how long it may read nothing. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrafficLimits:
    """`subscribe_bytes_per_s` bounds the snapshots that `subscribe` messages cause; 0 for none.

    `response_s` is how long a response may make no progress, in seconds.
    """

    subscribe_bytes_per_s: int = 131_072
    response_s: float = 30.0
