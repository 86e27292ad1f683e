"""A door for tests: through it browsers come to a live side."""

from collections.abc import Sequence

from contract.frames import HEARTBEAT_S
from gateway.clock import unix_ms
from gateway.transport.connections import Door
from gateway.transport.heartbeat import Upkeep
from tests.unit.gateway.core import GatewayCore


def make_door(
    core: GatewayCore,
    allowed: Sequence[str] = (),
    *,
    most: int = 1000,
    room: int = 1000,
    period_s: float = HEARTBEAT_S,
) -> Door:
    """A door that looks after each browser once in `period_s`."""
    upkeep = Upkeep(unix_ms, period_s)
    return Door(core.dispatcher, upkeep, core.metrics, unix_ms, allowed, most=most, room=room)
