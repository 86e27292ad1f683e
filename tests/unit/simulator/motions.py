"""Gestures for tests, and a classifier that shares no code with the simulator's."""

from itertools import pairwise
from math import sqrt
from statistics import fmean, pstdev

from hypothesis import strategies as st

from simulator.model.classifier import WINDOW_S
from simulator.model.gestures import DURATIONS_S, GESTURES, Gesture, random_rest_pose
from simulator.model.rng import Rng, stream_key
from simulator.model.sensor import sample_window
from simulator.model.vectors import Vector

seeds = st.integers(0, 2**32)
rates_hz = st.sampled_from([25, 50, 100])


def make_gesture(name: str, seed: int) -> tuple[Vector, Gesture]:
    """Return a random pose of a pillow, and a random gesture that begins in it."""
    rng = Rng(stream_key(seed, name))
    pose = random_rest_pose(rng)
    return pose, GESTURES[name](rng, pose, rng.uniform(*DURATIONS_S[name]))


def gesture_samples(
    name: str, seed: int, until_s: float, hz: int, length_s: float = WINDOW_S
) -> list[Vector]:
    """Return the sensor's samples until `until_s` seconds after a gesture's start."""
    pose, gesture = make_gesture(name, seed)

    def force(t: float) -> Vector:
        return gesture.force(t - 10) if t >= 10 else pose

    return sample_window(force, key=seed, hz=hz, until_s=10 + until_s, samples=int(length_s * hz))


def size(v: Vector) -> float:
    """Return the length of a vector."""
    x, y, z = v
    return sqrt(x * x + y * y + z * z)


def classify_by_plot(samples: list[Vector], hz: int) -> str:
    """Return the state that a person reads from a plot of the samples.

    Long weightlessness is a throw. Otherwise the axis with the largest deviation decides: hardly
    any is rest, a little is a hug, one-sided spikes are punches, more than two oscillations a
    second are a shake, slower ones are a spin.
    """
    sizes = [size(sample) for sample in samples]
    weightless = "".join("." if one < 0.4 else "x" for one in sizes)
    if max(map(len, weightless.split("x"))) / hz > 0.2:
        return "throwing"
    axes = [[sample[axis] for sample in samples] for axis in range(3)]
    deviations = [pstdev(axis) for axis in axes]
    widest = axes[deviations.index(max(deviations))]
    if max(deviations) < 0.0115:
        return "neutral"
    mean = fmean(widest)
    if pstdev(sizes) > 0.18:
        above, below = max(widest) - mean, mean - min(widest)
        if max(above, below) > 1.9 * min(above, below):
            return "punching"
        crossings = sum((a > mean) != (b > mean) for a, b in pairwise(widest))
        return "shaking" if crossings / 2 / (len(widest) / hz) > 2.2 else "spinning"
    mean_force = size((fmean(axes[0]), fmean(axes[1]), fmean(axes[2])))
    return "spinning" if mean_force < 0.65 else "hugging"
