"""Gestures: each is the motion that its name says, by physics and by a plot."""

from collections import Counter
from itertools import pairwise
from statistics import pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.model.classifier import FREE_FALL_G, WINDOW_S
from simulator.model.gestures import G_MS2, GESTURES, Throw
from tests.unit.simulator.motions import (
    classify_by_plot,
    gesture_samples,
    make_gesture,
    rates_hz,
    seeds,
    size,
)

every_gesture = pytest.mark.parametrize("name", GESTURES)


@every_gesture
@given(seed=seeds)
def test_a_gesture_begins_in_its_pose_and_ends_at_rest(name: str, seed: int) -> None:
    """The force is 1 g at the end, and the start differs from the pose by less than 0.1 g."""
    pose, gesture = make_gesture(name, seed)

    assert size(gesture.force(gesture.duration_s)) == pytest.approx(1, abs=0.001)
    assert gesture.force(gesture.duration_s + 5) == gesture.end_pose
    first = gesture.force(0.0)
    assert size((first[0] - pose[0], first[1] - pose[1], first[2] - pose[2])) < 0.1


@every_gesture
@given(seed=seeds, at=st.floats(0, 1))
def test_no_force_exceeds_the_sensors_range_of_16_g(name: str, seed: int, at: float) -> None:
    """At any time of any gesture."""
    _, gesture = make_gesture(name, seed)

    assert size(gesture.force(at * gesture.duration_s)) < 16


@given(seed=seeds)
def test_the_impact_of_a_throw_takes_away_the_speed_of_its_fall(seed: int) -> None:
    """The flight is free fall; the integral of the impact is the change of speed."""
    _, throw = make_gesture("throw", seed)
    assert isinstance(throw, Throw)
    step_s = 0.0005
    flight = [
        size(throw.force(throw.released_s + 0.01 + step * 0.01))
        for step in range(int((throw.flight_s - 0.02) / 0.01))
    ]
    impact_s = [
        throw.landed_s + step * step_s for step in range(round(throw.impact_width_s / step_s))
    ]
    # Less the weight of 1 g, because the floor carries it.
    speed_change_ms = sum((size(throw.force(t)) - 1) * G_MS2 * step_s for t in impact_s)
    fall_ms = G_MS2 * throw.flight_s / 2

    assert max(flight) < FREE_FALL_G
    assert speed_change_ms == pytest.approx(fall_ms * (1 + Throw.RESTITUTION), rel=0.08)


@given(seed=seeds, hz=rates_hz)
def test_a_spin_rotates_the_force_through_all_directions(seed: int, hz: int) -> None:
    """In its middle the force keeps its size, and its mean is small.

    The mean has at most 0.65 g of centrifugal force, which is constant in the pillow's frame
    ((2π · 1.8 Hz)² · 5 cm), and 0.22 g of an incomplete rotation (the maximum of |sin πx / πx|
    above one turn).
    """
    _, spin = make_gesture("spin", seed)
    samples = gesture_samples("spin", seed, spin.duration_s - 0.5, hz)
    mean = tuple(sum(sample[axis] for sample in samples) / len(samples) for axis in range(3))

    assert max(map(size, samples)) < 2
    assert min(map(size, samples)) > 0.2
    assert size((mean[0], mean[1], mean[2])) < 0.87


@given(seed=seeds)
def test_a_shake_oscillates_three_to_five_times_a_second(seed: int) -> None:
    """Counted by its zero crossings in one second."""
    _, shake = make_gesture("shake", seed)
    samples = gesture_samples("shake", seed, shake.duration_s - 0.45, 100, length_s=1)
    axis = max(range(3), key=lambda axis: pstdev(sample[axis] for sample in samples))
    mean = sum(sample[axis] for sample in samples) / len(samples)
    signs = [sample[axis] > mean for sample in samples]

    assert 5 <= sum(a != b for a, b in pairwise(signs)) <= 11


@given(seed=seeds)
def test_a_punch_exceeds_3_g_and_a_hug_stays_below_2_g(seed: int) -> None:
    """Within the last seconds of each."""
    _, punch = make_gesture("punch", seed)
    blows = gesture_samples("punch", seed, punch.duration_s - 0.1, 100, length_s=1.5)
    _, hug = make_gesture("hug", seed)
    held = gesture_samples("hug", seed, hug.duration_s, 100, length_s=4)

    assert max(map(size, blows)) > 3
    assert max(map(size, held)) < 2


@every_gesture
@pytest.mark.parametrize("hz", [25, 50, 100])
def test_97_of_100_windows_look_like_the_gesture_to_an_independent_classifier(
    name: str, hz: int
) -> None:
    """It shares no code with the simulator's own."""
    classified: Counter[str] = Counter()
    for seed in range(40):
        _, gesture = make_gesture(name, seed)
        if isinstance(gesture, Throw):
            times = [gesture.landed_s + 0.1]
        else:
            # Its start and end look different: a pillow that is picked up rotates.
            first, last = WINDOW_S + 0.4, gesture.duration_s - 0.5
            times = [first + (last - first) * part / 3 for part in range(4)] if last > first else []
        for at_s in times:
            classified[classify_by_plot(gesture_samples(name, seed, at_s, hz), hz)] += 1
    state = GESTURES[name].state

    assert classified[state] / classified.total() > 0.97, classified
