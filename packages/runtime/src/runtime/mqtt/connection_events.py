"""What a connection is given: its last will, and the functions that it calls."""

from collections.abc import Callable
from dataclasses import dataclass

from runtime.mqtt.errors import BrokerLost
from runtime.mqtt.packets import Message


@dataclass(frozen=True, slots=True)
class ConnectionEvents:
    """What a connection calls. `on_lost` is called once, with the reason."""

    on_message: Callable[[Message], None]
    on_lost: Callable[[BrokerLost], None]
    on_oversized: Callable[[str, int], None]
    """The topic and the size in bytes of a message above the limit, which was discarded."""


@dataclass(frozen=True, slots=True)
class LastWill:
    """A retained message with QoS 1 that the broker publishes if the connection is lost.

    The broker drops it after `expiry_s` seconds (MQTT 5).
    """

    topic: str
    payload: bytes
    expiry_s: int
