"""Gestures: what hands do to a pillow, as the force its accelerometer feels.

Each has an onset, a time in which it goes on, and a decay, and leaves the pillow lying some way.
`force(t)` is in g, in the pillow's frame, `t` seconds after the beginning: the force that gravity
and hands together exert, which is what an accelerometer measures; in free fall it is nothing.
Where the numbers come from is in docs/simulator.md, "The model".
"""

from typing import Final, Protocol

from simulator.model.chance import Chance, share
from simulator.model.space import (
    Vector,
    any_across,
    any_direction,
    blend,
    cosine,
    cross,
    pulse,
    ramp,
    sine,
    unit,
)

G_MS2: Final = 9.80665
"""One g in m/s² (the standard acceleration of free fall, CGPM 1901)."""

_PI: Final = 3.141592653589793


class Gesture(Protocol):
    """One gesture: how long it takes, and how the pillow lies when it is over."""

    state: str
    lasts_s: float
    pose: Vector

    def force(self, t: float) -> Vector:
        """Return the force in g, `t` seconds after the beginning; after the end, `pose`."""


def resting_pose(chance: Chance) -> Vector:
    """Return how a pillow lies that somebody put down: on its back, its face or a side, tilted."""
    flat = chance.pick(
        (((0.0, 0.0, 1.0), 70), ((0.0, 0.0, -1.0), 20), ((1.0, 0.0, 0.0), 5), ((-1.0, 0.0, 0.0), 5))
    )
    tilt = any_direction(chance)
    much = chance.between(0, 0.2)
    return unit((flat[0] + tilt[0] * much, flat[1] + tilt[1] * much, flat[2] + tilt[2] * much))


class Hug:
    """Held against somebody who breathes: lifted upright, squeezed, and never quite still."""

    state = "hugging"

    def __init__(self, chance: Chance, pose: Vector, lasts_s: float) -> None:
        self.lasts_s = lasts_s
        self.pose = resting_pose(chance)
        self._before = pose
        up = 1.0 if chance.happens(0.8) else -1.0
        self._held = unit((chance.between(-0.3, 0.3), up, chance.between(-0.4, 0.4)))
        self._onset_s = min(chance.between(0.5, 1.0), lasts_s / 3)
        self._decay_s = min(chance.between(0.5, 1.0), lasts_s / 3)
        self._squeeze_g = chance.between(0.15, 0.45)
        self._breath_hz = chance.between(0.2, 0.33)
        self._breath_g = chance.between(0.02, 0.05)
        self._tremor_hz = chance.between(6, 9)
        self._tremor_g = chance.between(0.015, 0.035)
        self._tremor = any_direction(chance)
        self._phase = chance.draw()

    def force(self, t: float) -> Vector:
        """Return the force in g; see Gesture."""
        if t >= self.lasts_s:
            return self.pose
        left_s = self.lasts_s - t
        if left_s < self._decay_s:
            held = ramp(left_s / self._decay_s)
            x, y, z = blend(self.pose, self._held, held)
        else:
            held = ramp(t / self._onset_s)
            x, y, z = blend(self._before, self._held, held)
        tremor = held * self._tremor_g * sine(self._phase + self._tremor_hz * t)
        tremor += 0.5 * held * self._tremor_g * sine(1.37 * self._tremor_hz * t)
        chest = held * self._breath_g * sine(self._phase + self._breath_hz * t)
        chest += self._squeeze_g * pulse(t / self._onset_s)
        a, b, c = self._tremor
        return (x + tremor * a, y + tremor * b, z + tremor * c + chest)


class Punch:
    """Blows, each a short push and the cushion's ringing after it."""

    state = "punching"

    def __init__(self, chance: Chance, pose: Vector, lasts_s: float) -> None:
        self.lasts_s = lasts_s
        self.pose = pose
        self._key = int(chance.draw() * 2**53)
        self._period_s = 1 / chance.between(1.8, 3)
        self._width_s = chance.between(0.06, 0.09)
        self._peak_g = chance.between(4.5, 9)
        self._ring_hz = chance.between(7, 10)
        side = any_across(pose, chance)
        much = chance.between(0, 0.6)
        # A fist comes from above, more or less: it pushes the way gravity pulls.
        self._way = unit(
            (pose[0] + much * side[0], pose[1] + much * side[1], pose[2] + much * side[2])
        )

    def force(self, t: float) -> Vector:
        """Return the force in g; see Gesture."""
        if t >= self.lasts_s:
            return self.pose
        blow = int(t / self._period_s)
        since_s = t - self._period_s * (blow + 0.3 * share(self._key, 2 * blow))
        # The last blow's ringing is to be over at the end.
        if since_s < 0 or (self._period_s * (blow + 0.9) > self.lasts_s and blow > 0):
            push = 0.0
        elif since_s < self._width_s:
            push = pulse(since_s / self._width_s)
        else:
            fades = (since_s - self._width_s) / 0.22
            push = (
                -0.22 * (1 - fades) * (1 - fades) * sine(self._ring_hz * (since_s - self._width_s))
                if fades < 1
                else 0.0
            )
        push *= self._peak_g * (0.7 + 0.3 * share(self._key, 2 * blow + 1))
        x, y, z = self.pose
        a, b, c = self._way
        return (x + push * a, y + push * b, z + push * c)


class Shake:
    """To and fro along one line, several times a second."""

    state = "shaking"

    def __init__(self, chance: Chance, pose: Vector, lasts_s: float) -> None:
        self.lasts_s = lasts_s
        self.pose = resting_pose(chance)
        self._before = pose
        self._held = any_direction(chance)
        self._hz = chance.between(3, 5)
        travel_m = chance.between(0.035, 0.06)
        self._peak_g = (2 * _PI * self._hz) * (2 * _PI * self._hz) * travel_m / G_MS2
        self._peak_g = min(self._peak_g, 4.5)
        self._line = any_direction(chance)
        self._side = any_across(self._line, chance)
        self._onset_s = min(chance.between(0.15, 0.35), lasts_s / 3)
        self._decay_s = min(chance.between(0.2, 0.4), lasts_s / 3)

    def force(self, t: float) -> Vector:
        """Return the force in g; see Gesture."""
        if t >= self.lasts_s:
            return self.pose
        left_s = self.lasts_s - t
        if left_s < self._decay_s:
            much = ramp(left_s / self._decay_s)
            x, y, z = blend(self.pose, self._held, much)
        else:
            much = ramp(t / self._onset_s)
            x, y, z = blend(self._before, self._held, much)
        along = much * self._peak_g * sine(self._hz * t)
        # No arm moves in a straight line.
        across = 0.12 * much * self._peak_g * sine(2 * self._hz * t)
        a, b, c = self._line
        d, e, f = self._side
        return (x + along * a + across * d, y + along * b + across * e, z + along * c + across * f)


class Spin:
    """Turned over and over about a level axis: gravity goes round in the pillow's frame."""

    state = "spinning"

    def __init__(self, chance: Chance, pose: Vector, lasts_s: float) -> None:
        self.lasts_s = lasts_s
        self._hz = chance.between(0.9, 1.8)
        self._radius_m = chance.between(0.02, 0.05)
        self._onset_s = min(chance.between(0.3, 0.5), lasts_s / 3)
        self._decay_s = min(chance.between(0.3, 0.5), lasts_s / 3)
        # In the plane at a right angle to the axis, gravity starts at `a` and goes towards `b`.
        self._a = pose
        axis = any_across(pose, chance)
        self._b = cross(axis, pose)
        # The sensor sits off the axis, and is pulled outward.
        turns = chance.draw()
        ca, cb = cosine(turns), sine(turns)
        a, b = self._a, self._b
        self._out = (ca * a[0] + cb * b[0], ca * a[1] + cb * b[1], ca * a[2] + cb * b[2])
        self.pose = self._gravity(self._turned(lasts_s))

    def _turned(self, t: float) -> float:
        """Return how many turns are done: the speed's integral, a trapezium's area."""
        done = min(t, self._onset_s)
        turned = done * done / (2 * self._onset_s)
        steady_s = min(t, self.lasts_s - self._decay_s) - self._onset_s
        if steady_s > 0:
            turned += steady_s
        slowing_s = min(t, self.lasts_s) - (self.lasts_s - self._decay_s)
        if slowing_s > 0:
            turned += slowing_s - slowing_s * slowing_s / (2 * self._decay_s)
        return self._hz * turned

    def _gravity(self, turns: float) -> Vector:
        ca, cb = cosine(turns), sine(turns)
        a, b = self._a, self._b
        return (ca * a[0] + cb * b[0], ca * a[1] + cb * b[1], ca * a[2] + cb * b[2])

    def force(self, t: float) -> Vector:
        """Return the force in g; see Gesture."""
        if t >= self.lasts_s:
            return self.pose
        x, y, z = self._gravity(self._turned(t))
        speed = self._hz * max(0.0, min(1.0, t / self._onset_s, (self.lasts_s - t) / self._decay_s))
        omega = 2 * _PI * speed
        out = omega * omega * self._radius_m / G_MS2
        a, b, c = self._out
        return (x + out * a, y + out * b, z + out * c)


class Throw:
    """Swung, let go, weightless, caught by the floor, and once more a little.

    What it takes is what the flight takes: `lasts_s` is not asked but told.
    The impact follows from the fall: the pillow arrives with the speed it left with, and a half
    sine of the impact's width must take that away and give some of it back.
    """

    state = "throwing"

    SPRING: Final = 0.3
    """Which share of its speed a cushion has after it hit the floor."""

    def __init__(self, chance: Chance, pose: Vector, _lasts_s: float = 0.0) -> None:
        self.flight_s = chance.between(0.5, 0.9)
        self._swing_s = chance.between(0.25, 0.35)
        self._swing_g = chance.between(1.2, 2.2)
        self._swing = any_direction(chance)
        self._width_s = chance.between(0.07, 0.1)
        speed_ms = G_MS2 * self.flight_s / 2
        change_ms = speed_ms * (1 + self.SPRING)
        self.impact_g = _PI * change_ms / (2 * self._width_s) / G_MS2
        self._hop_s = self.flight_s * self.SPRING
        self._tumble_hz = chance.between(0.2, 0.8)
        self._tumble_m = chance.between(0.01, 0.04)
        self._before = pose
        self.pose = resting_pose(chance)
        side = any_across(self.pose, chance)
        self._lands = unit(
            (
                self.pose[0] + 0.3 * side[0],
                self.pose[1] + 0.3 * side[1],
                self.pose[2] + 0.3 * side[2],
            )
        )
        self.released_s = self._swing_s
        self.landed_s = self._swing_s + self.flight_s
        self._hops_s = self.landed_s + self._width_s
        self._lands_again_s = self._hops_s + self._hop_s
        self.lasts_s = self._lands_again_s + self._width_s + 0.3

    def force(self, t: float) -> Vector:
        """Return the force in g; see Gesture."""
        if t >= self.lasts_s:
            return self.pose
        if t < self.released_s:
            push = self._swing_g * pulse(t / self._swing_s)
            x, y, z = self._before
            a, b, c = self._swing
        elif t < self.landed_s or self._hops_s <= t < self._lands_again_s:
            # Nothing but the tumbling, which pulls the sensor outward.
            omega = 2 * _PI * self._tumble_hz
            push = omega * omega * self._tumble_m / G_MS2
            x = y = z = 0.0
            a, b, c = self._swing
        else:
            first = t < self._hops_s
            since_s = t - (self.landed_s if first else self._lands_again_s)
            push = pulse(since_s / self._width_s) * self.impact_g
            push *= 1.0 if first else self.SPRING
            x, y, z = blend(self._lands, self.pose, since_s / 0.3 if not first else 0.0)
            a, b, c = self._lands
        return (x + push * a, y + push * b, z + push * c)


GESTURES: Final[dict[str, type[Hug] | type[Punch] | type[Shake] | type[Spin] | type[Throw]]] = {
    "hug": Hug,
    "punch": Punch,
    "shake": Shake,
    "spin": Spin,
    "throw": Throw,
}
"""Every gesture by the word a scenario has for it."""

LASTS_S: Final[dict[str, tuple[float, float]]] = {
    "hug": (5, 60),
    "punch": (2, 8),
    "shake": (2, 8),
    "spin": (2, 8),
    "throw": (1.2, 2.2),
}
"""How long each takes, from and to, when nobody says; a throw takes what its flight takes."""
