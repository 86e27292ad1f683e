"""Pillows: what is said agrees with what happens; battery, radio and cues."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.model.classifier import features, judge
from simulator.model.gestures import GESTURES
from simulator.model.pillow import Battery, Cue, Said, Wifi
from tests.hypothesis_profiles import examples
from tests.unit.simulator.plans import events, kind

seeds = st.integers(0, 2**63 - 1)
few = settings(max_examples=examples(15))


@given(seed=seeds)
@few
def test_the_samples_in_a_report_say_what_the_report_says(seed: int) -> None:
    """A reader that classifies them itself comes to the same state, where the pillow was sure."""
    for one in events([(kind(motion="always"), 2)], seed, 25):
        assert isinstance(one, Said)
        if one.confidence >= 0.5:
            assert (one.state, one.confidence) == judge(features(one.motion, 25))


@pytest.mark.parametrize("word", GESTURES)
@given(seed=seeds, at_s=st.floats(2, 20), every_s=st.sampled_from([0.5, 1, 7, 60]))
@few
def test_a_cue_is_said_soon_after_and_no_longer_than_it_lasts(
    word: str, seed: int, at_s: float, every_s: float
) -> None:
    """Within two seconds, however seldom the pillow reports; and then it rests again."""
    cue = Cue(None, word, at_s, lasts_s=(4, 4))
    found = [
        one
        for one in events([(kind(people=None, cues=(cue,), every_s=every_s), 1)], seed, at_s + 10)
        if isinstance(one, Said)
    ]
    state = GESTURES[word].state
    during = [one.due_s for one in found if one.state == state]

    assert during
    assert at_s < during[0] < at_s + 2.1
    assert during[-1] < at_s + 4 + 1.75
    assert {one.state for one in found if one.due_s > at_s + 6} <= {"neutral"}


def test_a_cue_that_comes_again_comes_so_often_and_then_no_more() -> None:
    """Three times, ten seconds apart, each pillow at a moment of its own."""
    cue = Cue(None, "shake", 5, spread_s=2, lasts_s=(3, 3), every_s=10, times=3)
    found = events([(kind(people=None, cues=(cue,)), 3)], 7, 60)
    begins: Counter[int] = Counter()
    for number in (1, 2, 3):
        states = [one.state for one in found if isinstance(one, Said) and one.number == number]
        begins[number] = sum(b == "shaking" and a != b for a, b in pairwise(states))

    assert begins == {1: 3, 2: 3, 3: 3}


def test_a_cue_is_for_those_it_names() -> None:
    """And people come to the others as before."""
    cue = Cue(frozenset({2}), "spin", 3, lasts_s=(5, 5))
    found = events([(kind(people=None, cues=(cue,)), 3)], 7, 10)

    assert {one.number for one in found if isinstance(one, Said) and one.state == "spinning"} == {2}


@given(seed=seeds)
@few
def test_a_battery_drains_and_is_charged(seed: int) -> None:
    """It never leaves 0 to 1, and a short one is charged before it is empty."""
    found = events(
        [(kind(people=None, every_s=30, battery=Battery(None, 1200, 600)), 1)], seed, 7200
    )
    levels = [one.battery for one in found if isinstance(one, Said)]

    assert all(0 <= level <= 1 for level in levels)
    assert max(levels) > 0.9
    assert 0.05 < min(levels) < 0.15


def test_a_battery_begins_as_it_is_told() -> None:
    """At a fifth."""
    (first, *_) = events([(kind(people=None, battery=Battery(0.2)), 1)], 7, 1)

    assert isinstance(first, Said)
    assert first.battery == 0.2


def test_a_share_of_the_reports_is_lost_on_the_air() -> None:
    """About a tenth, and each is there to be counted."""
    found = events([(kind(people=None, wifi=Wifi(loss=0.1)), 20)], 7, 50)
    lost = sum(isinstance(one, Said) and one.fate == "lost" for one in found)

    assert lost / len(found) == pytest.approx(0.1, abs=0.03)


def test_people_do_every_kind_of_thing() -> None:
    """Within a quarter of an hour of a busy place, every state is seen."""
    found = events([(kind(), 3)], 7, 900)

    assert {one.state for one in found if isinstance(one, Said)} == {
        "neutral", *(made.state for made in GESTURES.values())
    }  # fmt: skip
