"""The classifier: what the sensor says and what the firmware makes of it agree."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.model.chance import Chance
from simulator.model.classifier import WINDOW_S, Features, features, judge
from simulator.model.gestures import GESTURES, Throw, resting_pose
from simulator.model.sensor import still_window
from tests.unit.simulator.motions import made, rates_hz, seeds, trace

numbers = st.floats(0, 30, allow_nan=False)
shares = st.floats(0, 1)


@pytest.mark.parametrize("word", GESTURES)
@pytest.mark.parametrize("hz", [25, 50, 100])
def test_a_gesture_is_recognised_while_it_goes_on(word: str, hz: int) -> None:
    """In 99 of 100 windows, and then it is mostly sure; soon after its beginning as well."""
    seen: Counter[str] = Counter()
    sure = []
    for seed in range(40):
        _, gesture = made(word, seed)
        if isinstance(gesture, Throw):
            times = [gesture.landed_s + 0.1, gesture.landed_s + 0.3]
        else:
            rest_s = gesture.lasts_s - WINDOW_S
            times = [WINDOW_S + rest_s * part / 3 for part in range(4)]
        for at_s in times:
            state, confidence = judge(features(trace(word, seed, at_s, hz), hz))
            seen[state] += 1
            sure.append(confidence)
    state = GESTURES[word].state

    assert seen[state] / seen.total() > 0.99, seen
    assert sorted(sure)[len(sure) // 10] > 0.6


@given(seed=seeds, hz=rates_hz)
def test_a_pillow_that_lies_still_rests(seed: int, hz: int) -> None:
    """The sensor's noise is no hug."""
    pose = resting_pose(Chance(seed))
    samples = still_window(pose, key=seed, hz=hz, until_s=20, samples=int(WINDOW_S * hz))

    assert judge(features(samples, hz)) == ("neutral", 0.99)


@given(
    seen=st.builds(Features, numbers, numbers, numbers, numbers, numbers, shares, shares),
)
def test_a_confidence_lies_between_nothing_and_all(seen: Features) -> None:
    """Whatever is seen, one state is the likeliest."""
    state, confidence = judge(seen)

    assert state in {"neutral", *(one.state for one in GESTURES.values())}
    assert 0 <= confidence <= 0.99
