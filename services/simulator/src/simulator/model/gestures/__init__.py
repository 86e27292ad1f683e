"""Gestures: what hands do to a pillow, as the force that its accelerometer measures.

Each gesture has an attack, a steady part and a decay, and leaves the pillow in a pose. The sources
of the numbers are in docs/simulator.md, "The model".
"""

from typing import Final

from simulator.model.gestures.base import G_MS2, Gesture, random_rest_pose
from simulator.model.gestures.hug import Hug
from simulator.model.gestures.punch import Punch
from simulator.model.gestures.shake import Shake
from simulator.model.gestures.spin import Spin
from simulator.model.gestures.throw import Throw

__all__ = ["DURATIONS_S", "GESTURES", "G_MS2", "Gesture", "Throw", "random_rest_pose"]

GESTURES: Final[dict[str, type[Hug] | type[Punch] | type[Shake] | type[Spin] | type[Throw]]] = {
    "hug": Hug,
    "punch": Punch,
    "shake": Shake,
    "spin": Spin,
    "throw": Throw,
}
"""Every gesture by its name in a scenario."""

DURATIONS_S: Final[dict[str, tuple[float, float]]] = {
    "hug": (5, 60),
    "punch": (2, 8),
    "shake": (2, 8),
    "spin": (2, 8),
    "throw": (1.2, 2.2),
}
"""Shortest and longest default duration of each; a throw lasts as long as its flight."""
