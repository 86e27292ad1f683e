"""Vectors in g, and periodic functions of time.

`math.sin` may differ in the last digit between C libraries. Sines are therefore looked up in a
table of values that are rounded to nine decimals; a test shows that none of them is near a
rounding boundary, so every C library gives the same table.
"""

from math import pi, sin, sqrt
from typing import Final

from simulator.model.rng import Rng

Vector = tuple[float, float, float]
"""x, y, z in g, in the pillow's own frame. At rest on its back a pillow measures (0, 0, 1)."""

TABLE_SIZE: Final = 4096
DECIMALS: Final = 9

# The added 0.0 makes 0.0 of -0.0.
_SINE: Final = tuple(
    round(sin(step * 2 * pi / TABLE_SIZE), DECIMALS) + 0.0 for step in range(TABLE_SIZE)
)


def sine(turns: float) -> float:
    """Return the sine of an angle in turns, at least 0, to within 0.002."""
    return _SINE[int(turns * TABLE_SIZE) & (TABLE_SIZE - 1)]


def cosine(turns: float) -> float:
    """Return the cosine of an angle in turns, at least 0, to within 0.002."""
    return _SINE[(int(turns * TABLE_SIZE) + TABLE_SIZE // 4) & (TABLE_SIZE - 1)]


def half_sine(fraction: float) -> float:
    """Return the height of a half-sine pulse at a fraction of its width; 0 outside of it."""
    return _SINE[int(fraction * (TABLE_SIZE // 2))] if 0 < fraction < 1 else 0.0


def smoothstep(fraction: float) -> float:
    """Return a smooth transition from 0 (at 0 and below) to 1 (at 1 and above)."""
    if fraction <= 0:
        return 0.0
    return fraction * fraction * (3 - 2 * fraction) if fraction < 1 else 1.0


def magnitude(v: Vector) -> float:
    """Return the length of a vector."""
    x, y, z = v
    return sqrt(x * x + y * y + z * z)


def normalize(v: Vector) -> Vector:
    """Return the vector of length 1 in the same direction."""
    size = magnitude(v)
    return (v[0] / size, v[1] / size, v[2] / size)


def add_scaled(v: Vector, factor: float, w: Vector) -> Vector:
    """Return v + factor · w."""
    return (v[0] + factor * w[0], v[1] + factor * w[1], v[2] + factor * w[2])


def cross(a: Vector, b: Vector) -> Vector:
    """Return the cross product."""
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )


def interpolate_direction(a: Vector, b: Vector, fraction: float) -> Vector:
    """Return the direction at a fraction of the way from `a` to `b`, both of length 1."""
    if fraction <= 0:
        return a
    if fraction >= 1:
        return b
    rest = 1 - fraction
    x = a[0] * rest + b[0] * fraction
    y = a[1] * rest + b[1] * fraction
    z = a[2] * rest + b[2] * fraction
    size = sqrt(x * x + y * y + z * z)
    # The middle between opposite directions has no direction, so the nearer end is returned.
    if size < 0.05:
        return a if fraction < 0.5 else b
    return (x / size, y / size, z / size)


def random_direction(rng: Rng) -> Vector:
    """Return a direction, uniformly distributed on the sphere."""
    z = rng.uniform(-1, 1)
    turns = rng.random()
    radius = sqrt(max(0.0, 1 - z * z))
    return (radius * cosine(turns), radius * sine(turns), z)


def random_perpendicular(v: Vector, rng: Rng) -> Vector:
    """Return a random direction perpendicular to `v`."""
    while True:
        candidate = cross(v, random_direction(rng))
        if magnitude(candidate) > 0.1:
            return normalize(candidate)
