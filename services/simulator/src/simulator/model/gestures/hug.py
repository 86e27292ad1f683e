"""A hug: the pillow is lifted upright, squeezed, and held against somebody who breathes."""

from simulator.model.gestures.base import random_rest_pose
from simulator.model.rng import Rng
from simulator.model.vectors import (
    Vector,
    add_scaled,
    half_sine,
    interpolate_direction,
    normalize,
    random_direction,
    sine,
    smoothstep,
)


class Hug:
    """One hug: an upright pose with a squeeze at the start, hand tremor and breathing."""

    state = "hugging"

    def __init__(self, rng: Rng, pose: Vector, duration_s: float) -> None:
        self.duration_s = duration_s
        self.end_pose = random_rest_pose(rng)
        self._start_pose = pose
        up = 1.0 if rng.random() < 0.8 else -1.0
        self._held_pose = normalize((rng.uniform(-0.3, 0.3), up, rng.uniform(-0.4, 0.4)))
        self._attack_s = min(rng.uniform(0.5, 1.0), duration_s / 3)
        self._decay_s = min(rng.uniform(0.5, 1.0), duration_s / 3)
        self._squeeze_g = rng.uniform(0.15, 0.45)
        self._breath_hz = rng.uniform(0.2, 0.33)
        self._breath_g = rng.uniform(0.02, 0.05)
        self._tremor_hz = rng.uniform(6, 9)
        self._tremor_g = rng.uniform(0.015, 0.035)
        self._tremor_direction = random_direction(rng)
        self._phase = rng.random()

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
        tremor = strength * self._tremor_g * sine(self._phase + self._tremor_hz * t)
        tremor += 0.5 * strength * self._tremor_g * sine(1.37 * self._tremor_hz * t)
        chest = strength * self._breath_g * sine(self._phase + self._breath_hz * t)
        chest += self._squeeze_g * half_sine(t / self._attack_s)
        x, y, z = add_scaled(pose, tremor, self._tremor_direction)
        return (x, y, z + chest)
