"""A shake: to and fro along one line, several times a second."""

from math import pi

from simulator.model.gestures.base import G_MS2, random_rest_pose
from simulator.model.rng import Rng
from simulator.model.vectors import (
    Vector,
    add_scaled,
    interpolate_direction,
    random_direction,
    random_perpendicular,
    sine,
    smoothstep,
)


class Shake:
    """One shake of the pillow in both hands."""

    state = "shaking"

    def __init__(self, rng: Rng, pose: Vector, duration_s: float) -> None:
        self.duration_s = duration_s
        self.end_pose = random_rest_pose(rng)
        self._start_pose = pose
        self._held_pose = random_direction(rng)
        self._hz = rng.uniform(3, 5)
        amplitude_m = rng.uniform(0.035, 0.06)
        peak_g = (2 * pi * self._hz) * (2 * pi * self._hz) * amplitude_m / G_MS2
        self._peak_g = min(peak_g, 4.5)
        self._direction = random_direction(rng)
        self._sideways = random_perpendicular(self._direction, rng)
        self._attack_s = min(rng.uniform(0.15, 0.35), duration_s / 3)
        self._decay_s = min(rng.uniform(0.2, 0.4), duration_s / 3)

    def force(self, t: float) -> Vector:
        """Return the force in g; see Gesture."""
        if t >= self.duration_s:
            return self.end_pose
        remaining_s = self.duration_s - t
        if remaining_s < self._decay_s:
            strength = smoothstep(remaining_s / self._decay_s)
            pose = interpolate_direction(self.end_pose, self._held_pose, strength)
        else:
            strength = smoothstep(t / self._attack_s)
            pose = interpolate_direction(self._start_pose, self._held_pose, strength)
        along = strength * self._peak_g * sine(self._hz * t)
        # An arm does not move in a straight line.
        across = 0.12 * strength * self._peak_g * sine(2 * self._hz * t)
        return add_scaled(add_scaled(pose, along, self._direction), across, self._sideways)
