"""The classifier in a pillow's firmware: the last samples to a state, and how sure it is.

It knows nothing of gestures, only of forces: how long nothing weighed anything, how hard the
hardest knock was, how much it moves and along what, and whether what it feels goes round.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from simulator.model.space import Vector

WINDOW_S: Final = 1.28
"""How much of the past it looks at."""

FREE_FALL_G: Final = 0.35
"""Below this a pillow flies; the data sheet of the ADXL345 recommends 0.3 to 0.6 g (THRESH_FF)."""

FREE_FALL_S: Final = 0.2
"""For at least so long; the data sheet recommends 0.1 to 0.35 s (TIME_FF)."""


STILL_G: Final = 0.009
"""Less sway than this is the sensor's own noise: about 0.006 g."""


@dataclass(frozen=True, slots=True)
class Features:
    """What is seen of a window.

    `fall_s` is the longest time without weight, `peak_g` the hardest knock, `mean_g` the size of
    the mean force, `sway_g` how far the force strays from that (rms), `beat_g` how far its size
    strays from its mean size (rms); `lean` from 0 to 1 whether it strays to one side (1) or to
    both alike (0), `turning` whether it goes round (1) or to and fro (0).
    """

    fall_s: float
    peak_g: float
    mean_g: float
    sway_g: float
    beat_g: float
    lean: float
    turning: float


def features(samples: Sequence[Vector], hz: int) -> Features:
    """Look at a window; it has at least two samples, `hz` a second."""
    n = len(samples)
    sx = sy = sz = ss = s2 = peak = 0.0
    falling = longest = 0
    for x, y, z in samples:
        square = x * x + y * y + z * z
        size = sqrt(square)
        sx, sy, sz, ss, s2 = sx + x, sy + y, sz + z, ss + size, s2 + square
        if size > peak:
            peak = size
        if size < FREE_FALL_G:
            falling += 1
            if falling > longest:
                longest = falling
        else:
            falling = 0
    mx, my, mz = sx / n, sy / n, sz / n
    mean2 = mx * mx + my * my + mz * mz
    sway2 = s2 / n - mean2
    mean, sway = sqrt(mean2), sqrt(sway2) if sway2 > 0 else 0.0
    if sway < STILL_G:
        return Features(longest / hz, peak, mean, sway, 0.0, 0.0, 0.0)
    beat2 = s2 / n - ss / n * (ss / n)
    # The area that the force sweeps about its mean: it adds up when it goes round, and cancels
    # when it comes back the way it went. And its strayings, the far ones counting more: a shake's
    # cancel, a blow's do not.
    ax = ay = az = swept = lx = ly = lz = 0.0
    px, py, pz = samples[0][0] - mx, samples[0][1] - my, samples[0][2] - mz
    for x, y, z in samples:
        dx, dy, dz = x - mx, y - my, z - mz
        far = sqrt(dx * dx + dy * dy + dz * dz)
        lx, ly, lz = lx + dx * far, ly + dy * far, lz + dz * far
        cx, cy, cz = py * dz - pz * dy, pz * dx - px * dz, px * dy - py * dx
        ax, ay, az = ax + cx, ay + cy, az + cz
        swept += sqrt(cx * cx + cy * cy + cz * cz)
        px, py, pz = dx, dy, dz
    return Features(
        longest / hz,
        peak,
        mean,
        sway,
        sqrt(beat2) if beat2 > 0 else 0.0,
        sqrt(lx * lx + ly * ly + lz * lz) / (n * sway2),
        sqrt(ax * ax + ay * ay + az * az) / swept if swept > 0 else 0.0,
    )


def judge(seen: Features) -> tuple[str, float]:
    """Return the likeliest state and its confidence, 0 to 1, of two decimals.

    The confidence is how well the state fits, less for a second one that fits nearly as well.
    """
    moves = _rises(seen.sway_g, 0.008, 0.014)
    flew = _rises(seen.fall_s, FREE_FALL_S / 2, 2 * FREE_FALL_S)
    wild = _rises(seen.beat_g, 0.18, 0.42) * (1 - flew)
    knocks = _rises(seen.peak_g, 1.8, 2.8) * _rises(seen.lean, 0.3, 0.6)
    # Gravity's mean over whole turns is nothing; a pillow that is picked up turns once, and stays.
    whole = _rises(seen.sway_g, 0.6, 0.8) * (1 - _rises(seen.mean_g, 0.65, 1))
    round_ = _rises(seen.turning, 0.5, 0.9) * whole * (1 - flew)
    fits = {
        "neutral": 1 - moves,
        "hugging": moves * (1 - round_) * (1 - wild) * (1 - flew),
        "shaking": wild * (1 - knocks) * (1 - round_),
        "spinning": round_ * (1 - knocks),
        "punching": wild * knocks,
        "throwing": flew,
    }
    best, most, second = "neutral", -1.0, 0.0
    for state, fit in fits.items():
        if fit > most:
            best, most, second = state, fit, max(second, most)
        elif fit > second:
            second = fit
    # Even a perfect fit is a guess.
    return best, round(0.99 * most * (1 - second / 2), 2)


def _rises(value: float, low: float, high: float) -> float:
    """Return 0 at `low` and below, 1 at `high` and above, and the straight way between."""
    return min(1.0, max(0.0, (value - low) / (high - low)))
