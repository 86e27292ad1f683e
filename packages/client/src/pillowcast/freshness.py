"""The freshness of a pillow and of the connection. Times are arguments, in ms."""

from dataclasses import dataclass
from typing import Final, Literal

from pillowcast.store import Sign, Store

Connection = Literal["connecting", "live", "broker-offline", "disconnected"]
Freshness = Literal["live", "quiet", "notconnected", "stale", "unknown"]

QUIET_AFTER_MS: Final = 15_000.0
"""A pillow without a sign of life for this long is quiet; the gateway marks it later."""
NOT_CONNECTED: Final = "notconnected"


@dataclass(frozen=True, slots=True)
class Times:
    """The present: on the local monotonic clock, and on the gateway's."""

    local: float
    gateway: float


def connection_of(*, synced: bool, lost: bool, broker: str | None) -> Connection:
    """Return whether the known states are live.

    `synced`: a snapshot arrived on the present connection; `lost`: a connection or an attempt has
    failed.
    """
    if synced:
        return "live" if broker == "online" else "broker-offline"
    return "disconnected" if lost else "connecting"


def silence_ms(sign: Sign, times: Times) -> float:
    """Return for how long a pillow has given no sign of life: the longer one of two clocks.

    A local clock that stood still, and a gateway's that was set back, would make a silent pillow
    look alive.
    """
    by_gateway = times.gateway - sign.alive_at
    if sign.received_at is None:
        return by_gateway
    return max(by_gateway, times.local - sign.received_at)


def freshness_of(store: Store, pillow: str, *, is_live: bool, times: Times) -> Freshness:
    """Return the freshness of a pillow; `is_live`: the connection is live."""
    state, sign = store.pillows.get(pillow), store.sign(pillow)
    if state is None or sign is None:
        return "unknown"
    if not is_live or store.is_unconfirmed(pillow):
        return "stale"
    if state.state == NOT_CONNECTED:
        return "notconnected"
    # The newer states of a pillow whose clock was set back count as older: what it does is unknown.
    is_current = state.clock != "behind" or times.gateway - sign.as_of <= QUIET_AFTER_MS
    return "live" if silence_ms(sign, times) <= QUIET_AFTER_MS and is_current else "quiet"


def state_to_show(store: Store, pillow: str, freshness: Freshness) -> str:
    """Return the state that a display may show: `notconnected` if the known one may be over."""
    state = store.pillows.get(pillow)
    return NOT_CONNECTED if state is None or freshness not in ("live", "quiet") else state.state
