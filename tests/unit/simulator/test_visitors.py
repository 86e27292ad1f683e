"""Visitors: visits follow the hours of their profile, and a visit does not begin with a throw."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.model.gestures import GESTURES
from simulator.model.rng import Rng
from simulator.model.visitors import MOODS, VISITOR_PROFILES, next_gesture, next_visit_s

every_profile = pytest.mark.parametrize("name", sorted(set(VISITOR_PROFILES) - {"nobody"}))


@every_profile
@given(seed=st.integers(0, 2**63), hour=st.floats(0, 24), after_s=st.floats(0, 10**6))
def test_the_next_visit_is_later_and_in_an_hour_with_visits(
    name: str, seed: int, hour: float, after_s: float
) -> None:
    """A kindergarten has no visits at night."""
    profile = VISITOR_PROFILES[name]
    at_s = next_visit_s(profile, hour, after_s, Rng(seed))

    assert at_s is not None
    assert at_s > after_s - 0.001
    # Rounding to milliseconds may move a visit into the next hour.
    hours = {int(hour + (at_s + error_s) / 3600) % 24 for error_s in (-0.001, 0, 0.001)}
    assert any(profile.visits_per_hour[hour] > 0 for hour in hours)


@every_profile
def test_the_number_of_visits_in_five_days_is_that_of_the_profile(name: str) -> None:
    """Within a fifth."""
    profile = VISITOR_PROFILES[name]
    rng, at_s, visits = Rng(7), 0.0, 0
    while (at_s := next_visit_s(profile, 0, at_s, rng) or 0) < 5 * 86400:
        visits += 1

    assert visits == pytest.approx(5 * sum(profile.visits_per_hour), rel=0.2, abs=5)


def test_the_profile_nobody_has_no_visit() -> None:
    """The search for one ends."""
    assert next_visit_s(VISITOR_PROFILES["nobody"], 12, 0, Rng(1)) is None


@pytest.mark.parametrize("name", MOODS)
@given(seed=st.integers(0, 2**63))
def test_the_first_gesture_of_a_visit_is_not_a_throw(name: str, seed: int) -> None:
    """Every later one is any gesture that exists."""
    assert next_gesture(MOODS[name], is_first=True, rng=Rng(seed)) != "throw"
    assert next_gesture(MOODS[name], is_first=False, rng=Rng(seed)) in GESTURES


def test_every_profile_has_24_hours_and_known_moods() -> None:
    """The lookup of an hour or a mood cannot fail."""
    for profile in VISITOR_PROFILES.values():
        assert len(profile.visits_per_hour) == 24
        assert {mood for mood, _ in profile.moods} <= set(MOODS)
