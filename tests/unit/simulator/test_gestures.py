"""Gestures: each is the motion its name says, by physics and to a stranger's eye."""

from collections import Counter
from itertools import pairwise
from statistics import pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.model.classifier import FREE_FALL_G, WINDOW_S
from simulator.model.gestures import G_MS2, GESTURES, Throw
from tests.unit.simulator.motions import by_eye, made, rates_hz, seeds, size, trace

every_gesture = pytest.mark.parametrize("word", GESTURES)


@every_gesture
@given(seed=seeds)
def test_it_begins_and_ends_at_rest(word: str, seed: int) -> None:
    """One g, within what the hand that comes and goes adds; and nothing jumps on the way in."""
    pose, gesture = made(word, seed)

    assert size(gesture.force(gesture.lasts_s)) == pytest.approx(1, abs=0.001)
    assert gesture.force(gesture.lasts_s + 5) == gesture.pose
    first = gesture.force(0.0)
    assert size((first[0] - pose[0], first[1] - pose[1], first[2] - pose[2])) < 0.1


@every_gesture
@given(seed=seeds, at=st.floats(0, 1))
def test_no_force_is_beyond_the_sensor(word: str, seed: int, at: float) -> None:
    """16 g is its range; a pillow that saw more would be no pillow."""
    _, gesture = made(word, seed)

    assert size(gesture.force(at * gesture.lasts_s)) < 16


@given(seed=seeds)
def test_a_throw_flies_and_lands_as_hard_as_it_fell(seed: int) -> None:
    """In flight it weighs nothing; the impact takes the fall's speed away and gives some back."""
    _, throw = made("throw", seed)
    assert isinstance(throw, Throw)
    step_s = 0.0005
    flight = [
        size(throw.force(throw.released_s + 0.01 + step * 0.01))
        for step in range(int((throw.flight_s - 0.02) / 0.01))
    ]
    impact_s = [throw.landed_s + step * step_s for step in range(round(throw._width_s / step_s))]
    # Without the weight, which does not change its speed against the floor much.
    taken_ms = sum((size(throw.force(t)) - 1) * G_MS2 * step_s for t in impact_s)

    assert max(flight) < FREE_FALL_G
    assert taken_ms == pytest.approx(G_MS2 * throw.flight_s / 2 * (1 + Throw.SPRING), rel=0.08)


@given(seed=seeds, hz=rates_hz)
def test_a_spin_turns_gravity_round_and_a_shake_does_not(seed: int, hz: int) -> None:
    """In the middle of a spin the force keeps its size and passes through every direction."""
    _, spin = made("spin", seed)
    samples = trace("spin", seed, spin.lasts_s - 0.5, hz)
    mean = tuple(sum(one[axis] for one in samples) / len(samples) for axis in range(3))

    assert max(map(size, samples)) < 2
    assert min(map(size, samples)) > 0.2
    assert size((mean[0], mean[1], mean[2])) < 0.7


@given(seed=seeds)
def test_a_shake_goes_to_and_fro_three_to_five_times_a_second(seed: int) -> None:
    """Counted by its changes of direction."""
    _, shake = made("shake", seed)
    samples = trace("shake", seed, shake.lasts_s - 0.45, 100, length_s=1)
    axis = max(range(3), key=lambda one: pstdev(sample[one] for sample in samples))
    middle = sum(one[axis] for one in samples) / len(samples)
    signs = [one[axis] > middle for one in samples]

    assert 5 <= sum(a != b for a, b in pairwise(signs)) <= 11


@given(seed=seeds)
def test_a_punch_is_spikes_and_a_hug_is_none(seed: int) -> None:
    """A blow is more than three g, and a hug never as much as two."""
    _, punch = made("punch", seed)
    blows = trace("punch", seed, punch.lasts_s - 0.1, 100, length_s=1.5)
    _, hug = made("hug", seed)
    held = trace("hug", seed, hug.lasts_s, 100, length_s=4)

    assert max(map(size, blows)) > 3
    assert max(map(size, held)) < 2


@every_gesture
@pytest.mark.parametrize("hz", [25, 50, 100])
def test_somebody_who_knows_nothing_of_the_model_sees_what_it_is(word: str, hz: int) -> None:
    """In 97 of 100 windows within the gesture, by a classifier that shares no code with ours."""
    seen: Counter[str] = Counter()
    for seed in range(40):
        _, gesture = made(word, seed)
        if isinstance(gesture, Throw):
            times = [gesture.landed_s + 0.1]
        else:
            # Its coming and going are of another kind: a pillow that is picked up turns.
            first, last = WINDOW_S + 0.4, gesture.lasts_s - 0.5
            times = [first + (last - first) * part / 3 for part in range(4)] if last > first else []
        for at_s in times:
            seen[by_eye(trace(word, seed, at_s, hz), hz)] += 1
    state = GESTURES[word].state

    assert seen[state] / seen.total() > 0.97, seen
