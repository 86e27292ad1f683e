"""People: they come when it is their time, and a pillow is thrown by a hand that has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.model.chance import Chance
from simulator.model.gestures import GESTURES
from simulator.model.people import MOODS, PEOPLE, next_gesture, next_visit_s

every = pytest.mark.parametrize("name", sorted(set(PEOPLE) - {"nobody"}))


@every
@given(seed=st.integers(0, 2**63), hour=st.floats(0, 24), after_s=st.floats(0, 10**6))
def test_a_visit_is_later_and_at_an_hour_with_visits(
    name: str, seed: int, hour: float, after_s: float
) -> None:
    """Nobody comes to a kindergarten at night."""
    people = PEOPLE[name]
    at_s = next_visit_s(people, hour, after_s, Chance(seed))

    assert at_s is not None
    assert at_s > after_s - 0.001
    # A millisecond may round into the next hour.
    hours = {int(hour + (at_s + d) / 3600) % 24 for d in (-0.001, 0, 0.001)}
    assert any(people.visits_an_hour[one] > 0 for one in hours)


@every
def test_so_many_come_as_are_said_to(name: str) -> None:
    """Over five days, within a fifth."""
    people = PEOPLE[name]
    chance, at_s, visits = Chance(7), 0.0, 0
    while (at_s := next_visit_s(people, 0, at_s, chance) or 0) < 5 * 86400:
        visits += 1

    assert visits == pytest.approx(5 * sum(people.visits_an_hour), rel=0.2, abs=5)


def test_nobody_is_nobody() -> None:
    """Never."""
    assert next_visit_s(PEOPLE["nobody"], 12, 0, Chance(1)) is None


@pytest.mark.parametrize("name", MOODS)
@given(seed=st.integers(0, 2**63))
def test_nothing_is_thrown_that_nobody_holds(name: str, seed: int) -> None:
    """The first gesture of a visit is never a throw; and all are gestures."""
    assert next_gesture(MOODS[name], is_first=True, chance=Chance(seed)) != "throw"
    assert next_gesture(MOODS[name], is_first=False, chance=Chance(seed)) in GESTURES


def test_every_hour_of_every_circle_is_there() -> None:
    """24 of them, and moods that exist."""
    for people in PEOPLE.values():
        assert len(people.visits_an_hour) == 24
        assert {mood for mood, _ in people.moods} <= set(MOODS)
