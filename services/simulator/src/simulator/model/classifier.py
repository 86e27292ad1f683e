"""The firmware's classifier: computes a state and a confidence from the last samples.

It does not know which gesture is going on. It uses only the measured forces: how long they were
absent, the hardest peak, how much and in which direction they deviate, and whether they rotate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from simulator.model.vectors import Vector

WINDOW_S: Final = 1.28
"""Length of the classified window in seconds."""

FREE_FALL_G: Final = 0.35
"""Forces below this are free fall; the ADXL345 data sheet recommends 0.3 to 0.6 g (THRESH_FF)."""

FREE_FALL_S: Final = 0.2
"""Shortest free fall that counts; the data sheet recommends 0.1 to 0.35 s (TIME_FF)."""

_AT_REST_G: Final = 0.009
"""A smaller deviation is the sensor's own noise, which is about 0.006 g."""


@dataclass(frozen=True, slots=True)
class Features:
    """Features of a window.

    `free_fall_s` is the longest free fall, `peak_g` the largest force, `mean_g` the magnitude of
    the mean force. `deviation_g` is the rms deviation from the mean force, `magnitude_deviation_g`
    the rms deviation of the force's magnitude from the mean magnitude. `asymmetry` is 1 when the
    deviation points to one side and 0 when it points to both sides alike; `rotation` is 1 when the
    force rotates and 0 when it moves to and fro.
    """

    free_fall_s: float
    peak_g: float
    mean_g: float
    deviation_g: float
    magnitude_deviation_g: float
    asymmetry: float
    rotation: float


def extract_features(samples: Sequence[Vector], hz: int) -> Features:
    """Compute the features of a window of at least two samples at `hz` samples a second."""
    n = len(samples)
    sx = sy = sz = sum_sizes = sum_squares = peak = 0.0
    falling = longest_fall = 0
    for x, y, z in samples:
        square = x * x + y * y + z * z
        size = sqrt(square)
        sx, sy, sz = sx + x, sy + y, sz + z
        sum_sizes, sum_squares = sum_sizes + size, sum_squares + square
        if size > peak:
            peak = size
        if size < FREE_FALL_G:
            falling += 1
            if falling > longest_fall:
                longest_fall = falling
        else:
            falling = 0
    mean = (sx / n, sy / n, sz / n)
    mean_square = mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2]
    variance = sum_squares / n - mean_square
    deviation = sqrt(variance) if variance > 0 else 0.0
    if deviation < _AT_REST_G:
        return Features(longest_fall / hz, peak, sqrt(mean_square), deviation, 0.0, 0.0, 0.0)
    magnitude_variance = sum_squares / n - sum_sizes / n * (sum_sizes / n)
    return Features(
        longest_fall / hz,
        peak,
        sqrt(mean_square),
        deviation,
        sqrt(magnitude_variance) if magnitude_variance > 0 else 0.0,
        *_asymmetry_and_rotation(samples, mean, variance),
    )


def _asymmetry_and_rotation(
    samples: Sequence[Vector], mean: Vector, variance: float
) -> tuple[float, float]:
    """Return how one-sided the deviations are and how much they rotate, each from 0 to 1.

    Asymmetry weights each deviation by its size: those of a shake cancel, those of a blow add up.
    Rotation is the area that the force sweeps about its mean: it adds up when the force goes
    round, and cancels when the force returns the way it came.
    """
    mx, my, mz = mean
    ax = ay = az = swept = lx = ly = lz = 0.0
    px, py, pz = samples[0][0] - mx, samples[0][1] - my, samples[0][2] - mz
    for x, y, z in samples:
        dx, dy, dz = x - mx, y - my, z - mz
        size = sqrt(dx * dx + dy * dy + dz * dz)
        lx, ly, lz = lx + dx * size, ly + dy * size, lz + dz * size
        cx, cy, cz = py * dz - pz * dy, pz * dx - px * dz, px * dy - py * dx
        ax, ay, az = ax + cx, ay + cy, az + cz
        swept += sqrt(cx * cx + cy * cy + cz * cz)
        px, py, pz = dx, dy, dz
    asymmetry = sqrt(lx * lx + ly * ly + lz * lz) / (len(samples) * variance)
    rotation = sqrt(ax * ax + ay * ay + az * az) / swept if swept > 0 else 0.0
    return asymmetry, rotation


def classify(features: Features) -> tuple[str, float]:
    """Return the likeliest state and its confidence, 0 to 0.99, rounded to two decimals.

    The confidence is how well the state fits, reduced when a second state fits nearly as well.
    """
    moving = _ramp(features.deviation_g, 0.008, 0.014)
    flown = _ramp(features.free_fall_s, FREE_FALL_S / 2, 2 * FREE_FALL_S)
    violent = _ramp(features.magnitude_deviation_g, 0.18, 0.42) * (1 - flown)
    blows = _ramp(features.peak_g, 1.8, 2.8) * _ramp(features.asymmetry, 0.3, 0.6)
    # Over full rotations the mean of gravity is zero. A pillow that is picked up rotates once and
    # then stays in its new position, so the mean remains.
    full_rotation = _ramp(features.deviation_g, 0.6, 0.8) * (1 - _ramp(features.mean_g, 0.65, 1))
    rotating = _ramp(features.rotation, 0.5, 0.9) * full_rotation * (1 - flown)
    scores = {
        "neutral": 1 - moving,
        "hugging": moving * (1 - rotating) * (1 - violent) * (1 - flown),
        "shaking": violent * (1 - blows) * (1 - rotating),
        "spinning": rotating * (1 - blows),
        "punching": violent * blows,
        "throwing": flown,
    }
    state, best, second = "neutral", -1.0, 0.0
    for candidate, score in scores.items():
        if score > best:
            state, best, second = candidate, score, max(second, best)
        elif score > second:
            second = score
    # Even a perfect score is no certainty.
    return state, round(0.99 * best * (1 - second / 2), 2)


def _ramp(value: float, low: float, high: float) -> float:
    """Return 0 at `low` and below, 1 at `high` and above, and a linear transition between."""
    return min(1.0, max(0.0, (value - low) / (high - low)))
