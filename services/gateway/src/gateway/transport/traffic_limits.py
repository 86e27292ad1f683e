"""Traffic limits: what one connection may ask for, and how long it may read nothing. Pure."""

from dataclasses import dataclass

from gateway.transport.request_limits import DEFAULT_LIMITS, RequestLimits


@dataclass(frozen=True, slots=True)
class TrafficLimits:
    """`subscribe_bytes_per_s` bounds the snapshots that `subscribe` messages cause; 0 for none.

    `response_s` is how long a response may make no progress, in seconds, and `client_s` how long a
    client may give no sign of life though its system answers. `request` is what a request may have,
    and `subscription_bytes` the memory for the names in all filters together.
    """

    subscribe_bytes_per_s: int = 131_072
    response_s: float = 120.0
    client_s: float = 1200.0
    request: RequestLimits = DEFAULT_LIMITS
    subscription_bytes: int = 67_108_864
