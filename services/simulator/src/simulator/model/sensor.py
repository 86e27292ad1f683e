"""The accelerometer: converts a force in g to the readings of an ADXL345.

The data sheet (Analog Devices, ADXL345 Rev. E, table 1) gives 3.9 mg a step in full resolution up
to ±16 g, and a noise of 0.75 steps rms on x and y and 1.1 steps on z.
"""

from collections.abc import Callable
from typing import Final

from simulator.model.rng import random_bits
from simulator.model.vectors import Vector

STEPS_PER_G: Final = 256

_MAX_STEP: Final = 16 * STEPS_PER_G
_READINGS_G: Final = tuple(
    round(step / STEPS_PER_G, 3) + 0.0 for step in range(-_MAX_STEP, _MAX_STEP + 1)
)

# The sum of two uniform ten-bit numbers less 1023 is a triangular noise from -1023 to 1023, whose
# rms is 1023/√6 = 417.6.
_NOISE_XY: Final = 0.75 / 417.6
_NOISE_Z: Final = 1.1 / 417.6


def sample_window(
    force: Callable[[float], Vector], *, key: int, hz: int, until_s: float, samples: int
) -> list[Vector]:
    """Return the last `samples` readings until `until_s`, oldest first, in g.

    `force` gives the force in g at a time in seconds, `key` names the stream of the noise, `hz` is
    the sampling rate. Samples are taken at multiples of 1/`hz`, so two windows agree where they
    overlap.
    """
    last = int(until_s * hz)
    return [
        _reading(force(index / hz), random_bits(key, index))
        for index in range(max(0, last - samples + 1), last + 1)
    ]


def sample_window_at_rest(
    pose: Vector, *, key: int, hz: int, until_s: float, samples: int
) -> list[Vector]:
    """Return what `sample_window` returns for a constant force of 1 g, in half the time.

    Most windows of a fleet are of pillows at rest.
    """
    last = int(until_s * hz)
    x, y, z = (axis * STEPS_PER_G + (_MAX_STEP + 0.5) for axis in pose)
    readings = _READINGS_G
    window = []
    for index in range(max(0, last - samples + 1), last + 1):
        noise = random_bits(key, index)
        # 1 g is far from the ends of the range, so the step is not clamped.
        window.append(
            (
                readings[int(x + ((noise & 1023) + (noise >> 10 & 1023) - 1023) * _NOISE_XY)],
                readings[int(y + ((noise >> 20 & 1023) + (noise >> 30 & 1023) - 1023) * _NOISE_XY)],
                readings[int(z + ((noise >> 40 & 1023) + (noise >> 50 & 1023) - 1023) * _NOISE_Z)],
            )
        )
    return window


def _reading(force: Vector, noise: int) -> Vector:
    x, y, z = (axis * STEPS_PER_G + (_MAX_STEP + 0.5) for axis in force)
    return (
        _quantize(x + ((noise & 1023) + (noise >> 10 & 1023) - 1023) * _NOISE_XY),
        _quantize(y + ((noise >> 20 & 1023) + (noise >> 30 & 1023) - 1023) * _NOISE_XY),
        _quantize(z + ((noise >> 40 & 1023) + (noise >> 50 & 1023) - 1023) * _NOISE_Z),
    )


def _quantize(value: float) -> float:
    """Return the reading of the nearest step, clamped to the sensor's range."""
    return _READINGS_G[min(2 * _MAX_STEP, max(0, int(value)))]
