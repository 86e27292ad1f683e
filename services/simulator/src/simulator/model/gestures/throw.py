"""A throw: a swing, a flight, an impact on the floor, and a smaller hop and impact after it."""

from math import pi
from typing import Final

from simulator.model.gestures.base import G_MS2, random_rest_pose
from simulator.model.rng import Rng
from simulator.model.vectors import (
    Vector,
    add_scaled,
    half_sine,
    interpolate_direction,
    normalize,
    random_direction,
    random_perpendicular,
)


class Throw:
    """One throw. Its duration follows from the drawn flight, not from the requested duration.

    The impact follows from the fall: the pillow hits the floor with the speed at which it was
    released, and a half-sine pulse takes this speed away and gives `RESTITUTION` of it back.
    """

    state = "throwing"

    RESTITUTION: Final = 0.3
    """Coefficient of restitution of a cushion: speed after the impact by speed before it."""

    def __init__(self, rng: Rng, pose: Vector, _duration_s: float = 0.0) -> None:
        self.flight_s = rng.uniform(0.5, 0.9)
        self._swing_s = rng.uniform(0.25, 0.35)
        self._swing_g = rng.uniform(1.2, 2.2)
        self._swing_direction = random_direction(rng)
        self.impact_width_s = rng.uniform(0.07, 0.1)
        impact_ms = G_MS2 * self.flight_s / 2
        speed_change_ms = impact_ms * (1 + self.RESTITUTION)
        self._impact_g = pi * speed_change_ms / (2 * self.impact_width_s) / G_MS2
        hop_s = self.flight_s * self.RESTITUTION
        self._tumble_hz = rng.uniform(0.2, 0.8)
        self._tumble_radius_m = rng.uniform(0.01, 0.04)
        self._start_pose = pose
        self.end_pose = random_rest_pose(rng)
        side = random_perpendicular(self.end_pose, rng)
        self._impact_pose = normalize(add_scaled(self.end_pose, 0.3, side))
        self.released_s = self._swing_s
        self.landed_s = self._swing_s + self.flight_s
        self._hop_start_s = self.landed_s + self.impact_width_s
        self._second_impact_s = self._hop_start_s + hop_s
        self.duration_s = self._second_impact_s + self.impact_width_s + 0.3

    def force(self, t: float) -> Vector:
        """Return the force in g; see Gesture."""
        if t >= self.duration_s:
            return self.end_pose
        if t < self.released_s:
            push = self._swing_g * half_sine(t / self._swing_s)
            return add_scaled(self._start_pose, push, self._swing_direction)
        if t < self.landed_s or self._hop_start_s <= t < self._second_impact_s:
            # In flight only the centrifugal force of the tumbling remains.
            omega = 2 * pi * self._tumble_hz
            push = omega * omega * self._tumble_radius_m / G_MS2
            return add_scaled((0.0, 0.0, 0.0), push, self._swing_direction)
        if t < self._hop_start_s:
            push = half_sine((t - self.landed_s) / self.impact_width_s) * self._impact_g
            return add_scaled(self._impact_pose, push, self._impact_pose)
        since_s = t - self._second_impact_s
        push = half_sine(since_s / self.impact_width_s) * self._impact_g * self.RESTITUTION
        pose = interpolate_direction(self._impact_pose, self.end_pose, since_s / 0.3)
        return add_scaled(pose, push, self._impact_pose)
