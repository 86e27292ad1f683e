"""Punches: blows on a lying pillow, each followed by the damped oscillation of the cushion."""

from simulator.model.rng import Rng, random_unit
from simulator.model.vectors import (
    Vector,
    add_scaled,
    half_sine,
    normalize,
    random_perpendicular,
    sine,
)


class Punch:
    """A series of blows."""

    state = "punching"

    def __init__(self, rng: Rng, pose: Vector, duration_s: float) -> None:
        self.duration_s = duration_s
        self.end_pose = pose
        self._key = int(rng.random() * 2**53)
        self._period_s = 1 / rng.uniform(1.8, 3)
        self._width_s = rng.uniform(0.06, 0.09)
        self._peak_g = rng.uniform(4.5, 9)
        self._ring_hz = rng.uniform(7, 10)
        side = random_perpendicular(pose, rng)
        # A fist comes more or less from above, so the force points the way of gravity.
        self._direction = normalize(add_scaled(pose, rng.uniform(0, 0.6), side))

    def force(self, t: float) -> Vector:
        """Return the force in g; see Gesture."""
        if t >= self.duration_s:
            return self.end_pose
        blow = int(t / self._period_s)
        since_s = t - self._period_s * (blow + 0.3 * random_unit(self._key, 2 * blow))
        push = self._push(blow, since_s)
        push *= self._peak_g * (0.7 + 0.3 * random_unit(self._key, 2 * blow + 1))
        return add_scaled(self.end_pose, push, self._direction)

    def _push(self, blow: int, since_s: float) -> float:
        """Return the force `since_s` seconds after a blow's start, as a share of its peak."""
        # The last blow is left out where its oscillation would not end with the gesture.
        if since_s < 0 or (self._period_s * (blow + 0.9) > self.duration_s and blow > 0):
            return 0.0
        if since_s < self._width_s:
            return half_sine(since_s / self._width_s)
        decay = (since_s - self._width_s) / 0.22
        if decay >= 1:
            return 0.0
        ring = sine(self._ring_hz * (since_s - self._width_s))
        return -0.22 * (1 - decay) * (1 - decay) * ring
