"""Space: vectors in g, and waves of time, without a library whose last digit differs by machine."""

from math import sqrt
from typing import Final

from simulator.model.chance import Chance

Vector = tuple[float, float, float]
"""x, y, z in g, in the pillow's own frame. At rest on its back it is 0, 0, 1."""

_STEPS: Final = 4096


def _table() -> tuple[float, ...]:
    def quarter(step: int) -> float:
        x = step * 6.283185307179586 / _STEPS
        term = total = x
        for n in range(1, 12):
            term = -term * x * x / ((2 * n) * (2 * n + 1))
            total += term
        return total

    first = [quarter(step) for step in range(_STEPS // 4 + 1)]
    half = [*first, *first[-2:0:-1]]
    return (*half, *(-one for one in half))


_SINE: Final = _table()


def sine(turns: float) -> float:
    """Return the sine of an angle in turns, from 0 on; one part in a thousand is its precision."""
    return _SINE[int(turns * _STEPS) & (_STEPS - 1)]


def cosine(turns: float) -> float:
    """Return the cosine of an angle in turns, from 0 on."""
    return _SINE[(int(turns * _STEPS) + _STEPS // 4) & (_STEPS - 1)]


def pulse(share: float) -> float:
    """Return a half sine's height at `share` of its length; 0 outside 0..1."""
    return _SINE[int(share * (_STEPS // 2))] if 0 < share < 1 else 0.0


def ramp(share: float) -> float:
    """Return a smooth way from 0 at 0 and before to 1 at 1 and after."""
    if share <= 0:
        return 0.0
    return share * share * (3 - 2 * share) if share < 1 else 1.0


def length(v: Vector) -> float:
    """Return how long a vector is."""
    x, y, z = v
    return sqrt(x * x + y * y + z * z)


def unit(v: Vector) -> Vector:
    """Return the vector of length 1 in the same direction."""
    size = length(v)
    return (v[0] / size, v[1] / size, v[2] / size)


def cross(a: Vector, b: Vector) -> Vector:
    """Return the cross product."""
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )


def blend(a: Vector, b: Vector, share: float) -> Vector:
    """Return the way from gravity `a` to gravity `b`: a vector of length 1 at every share."""
    if share <= 0:
        return a
    if share >= 1:
        return b
    rest = 1 - share
    x, y, z = a[0] * rest + b[0] * share, a[1] * rest + b[1] * share, a[2] * rest + b[2] * share
    size = sqrt(x * x + y * y + z * z)
    # Halfway between opposites there is no direction; the nearer end is as good as any.
    if size < 0.05:
        return a if share < 0.5 else b
    return (x / size, y / size, z / size)


def any_direction(chance: Chance) -> Vector:
    """Return a direction, all alike."""
    z = chance.between(-1, 1)
    turns = chance.draw()
    across = sqrt(max(0.0, 1 - z * z))
    return (across * cosine(turns), across * sine(turns), z)


def any_across(v: Vector, chance: Chance) -> Vector:
    """Return a direction at a right angle to `v`."""
    while True:
        found = cross(v, any_direction(chance))
        if length(found) > 0.1:
            return unit(found)
