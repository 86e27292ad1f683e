"""The accelerometer: a force in g to what an ADXL345 would say of it.

Its data sheet (Analog Devices, ADXL345 Rev. E, table 1) gives 3.9 mg a step in full resolution up
to ±16 g, and noise of 0.75 steps rms on x and y and 1.1 on z.
"""

from collections.abc import Callable
from typing import Final

from simulator.model.chance import bits
from simulator.model.space import Vector

STEPS_A_G: Final = 256

_MOST: Final = 16 * STEPS_A_G
_SAID: Final = tuple(round(step / STEPS_A_G, 3) + 0.0 for step in range(-_MOST, _MOST + 1))

# Two numbers of ten bits make a triangle from -1023 to 1023, whose rms is 1023/√6 = 417.6.
_NOISE_XY: Final = 0.75 / 417.6
_NOISE_Z: Final = 1.1 / 417.6


def window(
    force: Callable[[float], Vector], *, key: int, hz: int, until_s: float, samples: int
) -> list[Vector]:
    """Return the last `samples` samples until then, oldest first, `hz` a second, in g.

    Samples lie on a grid of their own, so that two windows agree where they overlap. `force` gives
    the force at a time; `key` names the noise.
    """
    last = int(until_s * hz)
    return [
        _measure(force(index / hz), bits(key, index))
        for index in range(max(0, last - samples + 1), last + 1)
    ]


def still_window(pose: Vector, *, key: int, hz: int, until_s: float, samples: int) -> list[Vector]:
    """Return what `window` would of a pillow that lay still, in half the time."""
    last = int(until_s * hz)
    x, y, z = (axis * STEPS_A_G + (_MOST + 0.5) for axis in pose)
    said = _SAID
    found = []
    for index in range(max(0, last - samples + 1), last + 1):
        noise = bits(key, index)
        # Far from the ends of the range, so nothing is held there.
        found.append(
            (
                said[int(x + ((noise & 1023) + (noise >> 10 & 1023) - 1023) * _NOISE_XY)],
                said[int(y + ((noise >> 20 & 1023) + (noise >> 30 & 1023) - 1023) * _NOISE_XY)],
                said[int(z + ((noise >> 40 & 1023) + (noise >> 50 & 1023) - 1023) * _NOISE_Z)],
            )
        )
    return found


def _measure(true: Vector, noise: int) -> Vector:
    x, y, z = (axis * STEPS_A_G + (_MOST + 0.5) for axis in true)
    return (
        _step(x + ((noise & 1023) + (noise >> 10 & 1023) - 1023) * _NOISE_XY),
        _step(y + ((noise >> 20 & 1023) + (noise >> 30 & 1023) - 1023) * _NOISE_XY),
        _step(z + ((noise >> 40 & 1023) + (noise >> 50 & 1023) - 1023) * _NOISE_Z),
    )


def _step(value: float) -> float:
    # Rounded to the nearest step, and held at the ends of the range.
    return _SAID[min(2 * _MOST, max(0, int(value)))]
