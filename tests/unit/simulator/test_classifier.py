"""The classifier: it reports the state of the gesture that the sensor measures."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.model.classifier import WINDOW_S, Features, classify, extract_features
from simulator.model.gestures import GESTURES, Throw, random_rest_pose
from simulator.model.rng import Rng
from simulator.model.sensor import sample_window_at_rest
from tests.unit.simulator.motions import gesture_samples, make_gesture, rates_hz, seeds

numbers = st.floats(0, 30, allow_nan=False)
fractions = st.floats(0, 1)


@pytest.mark.parametrize("name", GESTURES)
@pytest.mark.parametrize("hz", [25, 50, 100])
def test_99_of_100_windows_of_a_gesture_are_classified_as_its_state(name: str, hz: int) -> None:
    """From the first full window on, and nine of ten with a confidence above 0.6."""
    classified: Counter[str] = Counter()
    confidences = []
    for seed in range(40):
        _, gesture = make_gesture(name, seed)
        if isinstance(gesture, Throw):
            times = [gesture.landed_s + 0.1, gesture.landed_s + 0.3]
        else:
            rest_s = gesture.duration_s - WINDOW_S
            times = [WINDOW_S + rest_s * part / 3 for part in range(4)]
        for at_s in times:
            samples = gesture_samples(name, seed, at_s, hz)
            state, confidence = classify(extract_features(samples, hz))
            classified[state] += 1
            confidences.append(confidence)
    state = GESTURES[name].state

    assert classified[state] / classified.total() > 0.99, classified
    assert sorted(confidences)[len(confidences) // 10] > 0.6


@given(seed=seeds, hz=rates_hz)
def test_the_noise_of_a_pillow_at_rest_is_classified_as_neutral(seed: int, hz: int) -> None:
    """With the highest confidence, for every pose and every sampling rate."""
    pose = random_rest_pose(Rng(seed))
    samples = sample_window_at_rest(pose, key=seed, hz=hz, until_s=20, samples=int(WINDOW_S * hz))

    assert classify(extract_features(samples, hz)) == ("neutral", 0.99)


@given(
    features=st.builds(Features, numbers, numbers, numbers, numbers, numbers, fractions, fractions),
)
def test_a_confidence_is_between_0_and_0_99_for_all_features(features: Features) -> None:
    """And the state is one of the model's."""
    state, confidence = classify(features)

    assert state in {"neutral", *(gesture.state for gesture in GESTURES.values())}
    assert 0 <= confidence <= 0.99
