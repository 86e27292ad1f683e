"""Gestures made for tests, and a classifier that shares nothing with the simulator's own."""

from itertools import pairwise
from math import sqrt
from statistics import fmean, pstdev

from hypothesis import strategies as st

from simulator.model.chance import Chance, key_of
from simulator.model.classifier import WINDOW_S
from simulator.model.gestures import GESTURES, LASTS_S, Gesture, resting_pose
from simulator.model.sensor import window
from simulator.model.space import Vector

seeds = st.integers(0, 2**32)
rates_hz = st.sampled_from([25, 50, 100])


def made(word: str, seed: int) -> tuple[Vector, Gesture]:
    """How a pillow lay, and what was then done with it."""
    chance = Chance(key_of(seed, word))
    pose = resting_pose(chance)
    return pose, GESTURES[word](chance, pose, chance.between(*LASTS_S[word]))


def trace(
    word: str, seed: int, until_s: float, hz: int, length_s: float = WINDOW_S
) -> list[Vector]:
    """What the sensor says of it, in the seconds before `until_s` after its beginning."""
    pose, gesture = made(word, seed)

    def force(t: float) -> Vector:
        return gesture.force(t - 10) if t >= 10 else pose

    return window(force, key=seed, hz=hz, until_s=10 + until_s, samples=int(length_s * hz))


def size(v: Vector) -> float:
    """How long a vector is."""
    x, y, z = v
    return sqrt(x * x + y * y + z * z)


def by_eye(samples: list[Vector], hz: int) -> str:
    """Say what a window shows, as somebody would who reads the plot.

    Weightless for long: thrown. Otherwise, by the axis that moves most: hardly at all: resting; a
    little: hugged; one-sided spikes: punched; else to and fro more than twice a second: shaken, and
    slower: spun.
    """
    sizes = [size(one) for one in samples]
    weightless = "".join("." if one < 0.4 else "x" for one in sizes)
    if max(map(len, weightless.split("x"))) / hz > 0.2:
        return "throwing"
    axes = [[one[axis] for one in samples] for axis in range(3)]
    spread = [pstdev(axis) for axis in axes]
    most = axes[spread.index(max(spread))]
    if max(spread) < 0.0115:
        return "neutral"
    middle = fmean(most)
    if pstdev(sizes) > 0.18:
        above, below = max(most) - middle, middle - min(most)
        if max(above, below) > 1.9 * min(above, below):
            return "punching"
        crossings = sum((a > middle) != (b > middle) for a, b in pairwise(most))
        return "shaking" if crossings / 2 / (len(most) / hz) > 2.2 else "spinning"
    return (
        "spinning" if size((fmean(axes[0]), fmean(axes[1]), fmean(axes[2]))) < 0.65 else "hugging"
    )
