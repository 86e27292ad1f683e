"""Pillows: reports agree with what happens; batteries, Wi-Fi and scheduled gestures."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.model.classifier import classify, extract_features
from simulator.model.config import BatteryConfig, ScheduledGesture, WifiConfig
from simulator.model.events import Report
from simulator.model.gestures import GESTURES
from tests.hypothesis_profiles import examples
from tests.unit.simulator.plans import events, group

seeds = st.integers(0, 2**63 - 1)
few = settings(max_examples=examples(15))


@given(seed=seeds)
@few
def test_the_samples_of_a_report_are_classified_as_its_state(seed: int) -> None:
    """A reader that classifies them gets the same state, unless the previous one is held."""
    for report in events([(group(motion="always"), 2)], seed, 25):
        assert isinstance(report, Report)
        if report.confidence >= 0.5:
            classified = classify(extract_features(report.motion, 25))
            assert (report.state, report.confidence) == classified


@pytest.mark.parametrize("name", GESTURES)
@pytest.mark.parametrize("every_s", [0.5, 1, 7, 60])
def test_39_of_40_gestures_are_reported_within_2_1_s_and_for_at_most_1_75_s_longer(
    name: str, every_s: float
) -> None:
    """At every reporting interval; then the pillow is neutral again, after each of them.

    Of 1500 shakes 9 are so gentle that the classifier takes them for hugs; of the other gestures
    none is missed.
    """
    missed = 0
    for seed in range(40):
        at_s = 2 + seed * 0.4567
        scheduled = ScheduledGesture(None, name, at_s, duration_s=(4, 4))
        config = group(visitors=None, schedule=(scheduled,), every_s=every_s)
        found = events([(config, 1)], seed, at_s + 10)
        reports = [event for event in found if isinstance(event, Report)]
        during = [report.due_s for report in reports if report.state == GESTURES[name].state]
        in_time = during and at_s < during[0] < at_s + 2.1 and during[-1] < at_s + 4 + 1.75
        missed += not in_time
        assert {report.state for report in reports if report.due_s > at_s + 6} <= {"neutral"}

    assert missed <= 1


def test_a_scheduled_gesture_is_repeated_as_often_as_it_says() -> None:
    """Three times, ten seconds apart, for each pillow at a random offset."""
    scheduled = ScheduledGesture(
        None, "shake", 5, spread_s=2, duration_s=(3, 3), every_s=10, times=3
    )
    found = events([(group(visitors=None, schedule=(scheduled,)), 3)], 7, 60)
    begins: Counter[int] = Counter()
    for number in (1, 2, 3):
        states = [one.state for one in found if isinstance(one, Report) and one.number == number]
        begins[number] = sum(b == "shaking" and a != b for a, b in pairwise(states))

    assert begins == {1: 3, 2: 3, 3: 3}


def test_a_scheduled_gesture_happens_only_to_its_pillows() -> None:
    """To number 2 of three."""
    scheduled = ScheduledGesture(frozenset({2}), "spin", 3, duration_s=(5, 5))
    found = events([(group(visitors=None, schedule=(scheduled,)), 3)], 7, 10)
    spinning = {one.number for one in found if isinstance(one, Report) and one.state == "spinning"}

    assert spinning == {2}


@given(seed=seeds)
@few
def test_a_battery_discharges_and_is_charged_before_it_is_empty(seed: int) -> None:
    """The charge stays between 0 and 1."""
    battery = BatteryConfig(None, 1200, 600)
    found = events([(group(visitors=None, every_s=30, battery=battery), 1)], seed, 7200)
    charges = [event.battery for event in found if isinstance(event, Report)]

    assert all(0 <= charge <= 1 for charge in charges)
    assert max(charges) > 0.9
    assert 0.05 < min(charges) < 0.15


def test_a_battery_begins_with_its_configured_charge() -> None:
    """0.2, as given."""
    (first, *_) = events([(group(visitors=None, battery=BatteryConfig(0.2)), 1)], 7, 1)

    assert isinstance(first, Report)
    assert first.battery == 0.2


def test_the_configured_share_of_reports_is_lost_on_the_air() -> None:
    """A tenth, and each lost report is an event, so that it can be counted."""
    found = events([(group(visitors=None, wifi=WifiConfig(loss=0.1)), 20)], 7, 50)
    lost = sum(isinstance(event, Report) and event.fate == "lost" for event in found)

    assert lost / len(found) == pytest.approx(0.1, abs=0.03)


def test_visitors_cause_every_state_within_a_quarter_of_an_hour() -> None:
    """Those of the profile crowd, with three pillows."""
    found = events([(group(), 3)], 7, 900)

    assert {event.state for event in found if isinstance(event, Report)} == {
        "neutral", *(gesture.state for gesture in GESTURES.values())
    }  # fmt: skip
