"""A door for tests: through it browsers come to a live side."""

from collections.abc import Sequence

from contract.frames import HEARTBEAT_S
from gateway.state.mqtt_consumer import MqttConsumer, wall_ms
from gateway.transport.connections import Door
from gateway.transport.heartbeat import Upkeep


def make_door(
    consumer: MqttConsumer,
    allowed: Sequence[str] = (),
    *,
    most: int = 1000,
    room: int = 1000,
    period_s: float = HEARTBEAT_S,
) -> Door:
    """A door that looks after each browser once in `period_s`."""
    upkeep = Upkeep(wall_ms, period_s)
    return Door(
        consumer.dispatcher, upkeep, consumer.metrics, wall_ms, allowed, most=most, room=room
    )
