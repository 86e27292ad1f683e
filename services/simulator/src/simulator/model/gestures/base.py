"""What every gesture has in common."""

from typing import Final, Protocol

from simulator.model.rng import Rng
from simulator.model.vectors import Vector, add_scaled, normalize, random_direction

G_MS2: Final = 9.80665
"""One g in m/s² (standard acceleration of free fall, CGPM 1901)."""


class Gesture(Protocol):
    """One performance of a gesture.

    `state` is the state that the classifier reports for it, `duration_s` its length in seconds,
    `end_pose` the force in g on the pillow at rest after it.
    """

    state: str
    duration_s: float
    end_pose: Vector

    def force(self, t: float) -> Vector:
        """Return the force in g in the pillow's frame, `t` seconds after the start.

        It is the sum of gravity and hands, which an accelerometer measures; in free fall it is
        zero. From `duration_s` on it is `end_pose`.
        """


def random_rest_pose(rng: Rng) -> Vector:
    """Return the pose of a pillow that was put down: on its back, face or side, slightly tilted."""
    flat = rng.weighted_choice(
        (((0.0, 0.0, 1.0), 70), ((0.0, 0.0, -1.0), 20), ((1.0, 0.0, 0.0), 5), ((-1.0, 0.0, 0.0), 5))
    )
    tilt = random_direction(rng)
    return normalize(add_scaled(flat, rng.uniform(0, 0.2), tilt))
