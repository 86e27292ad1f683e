"""A spin: the pillow rotates about a level axis, so gravity rotates in the pillow's frame."""

from math import pi

from simulator.model.gestures.base import G_MS2
from simulator.model.rng import Rng
from simulator.model.vectors import Vector, add_scaled, cosine, cross, random_perpendicular, sine


class Spin:
    """One spin, with a constant angular velocity between its attack and its decay."""

    state = "spinning"

    def __init__(self, rng: Rng, pose: Vector, duration_s: float) -> None:
        self.duration_s = duration_s
        self._hz = rng.uniform(0.9, 1.8)
        self._radius_m = rng.uniform(0.02, 0.05)
        self._attack_s = min(rng.uniform(0.3, 0.5), duration_s / 3)
        self._decay_s = min(rng.uniform(0.3, 0.5), duration_s / 3)
        # In the plane perpendicular to the axis, gravity starts at `a` and rotates towards `b`.
        self._a = pose
        axis = random_perpendicular(pose, rng)
        self._b = cross(axis, pose)
        # The sensor is off the axis and measures the centrifugal force.
        self._outward = self._direction(rng.random())
        self.end_pose = self._direction(self._turns(duration_s))

    def _turns(self, t: float) -> float:
        """Return the turns done at `t`: the integral of the angular velocity, a trapezium."""
        attack_s = min(t, self._attack_s)
        turns_s = attack_s * attack_s / (2 * self._attack_s)
        steady_s = min(t, self.duration_s - self._decay_s) - self._attack_s
        if steady_s > 0:
            turns_s += steady_s
        decay_s = min(t, self.duration_s) - (self.duration_s - self._decay_s)
        if decay_s > 0:
            turns_s += decay_s - decay_s * decay_s / (2 * self._decay_s)
        return self._hz * turns_s

    def _direction(self, turns: float) -> Vector:
        """Return the direction that is `turns` from `a`, in the plane of the rotation."""
        ca, cb = cosine(turns), sine(turns)
        a, b = self._a, self._b
        return (ca * a[0] + cb * b[0], ca * a[1] + cb * b[1], ca * a[2] + cb * b[2])

    def force(self, t: float) -> Vector:
        """Return the force in g; see Gesture."""
        if t >= self.duration_s:
            return self.end_pose
        gravity = self._direction(self._turns(t))
        ramp = min(1.0, t / self._attack_s, (self.duration_s - t) / self._decay_s)
        omega = 2 * pi * (self._hz * max(0.0, ramp))
        centrifugal_g = omega * omega * self._radius_m / G_MS2
        return add_scaled(gravity, centrifugal_g, self._outward)
