"""Scenarios: believable, and the same for the same chance."""

import random
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.states import NOT_CONNECTED, STATES
from simulator.scenario import (
    CALM,
    DAY,
    RESTING,
    SCENARIOS,
    Episode,
    Scenario,
    episodes,
    part_at,
    start_hour,
)
from tests.unit.simulator.strategies import busy, scenarios, seeds

EVERY = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())
HOUR_S = 3600


def life(scenario: Scenario, seed: int, count: int = 200, hour: float = 14) -> list[Episode]:
    """The first episodes of one pillow."""
    return list(islice(episodes(scenario, hour, random.Random(seed).random), count))


@EVERY
def test_a_scenario_names_known_states_and_its_odds_make_a_hundred(scenario: Scenario) -> None:
    """A misspelt state or odds that do not add up are found here, not in a stream."""
    every_odds = [part.opens for part in scenario.parts] + list(scenario.follows.values())
    named = {state for odds in every_odds for state, _ in odds}

    assert all(sum(percent for _, percent in odds) == 100 for odds in every_odds)
    assert named <= STATES.keys() - {NOT_CONNECTED}
    assert scenario.lasts_s.keys() == scenario.follows.keys()
    assert named - {RESTING} <= scenario.lasts_s.keys()


@EVERY
def test_the_parts_of_a_day_begin_at_midnight_and_are_in_order(scenario: Scenario) -> None:
    """Every hour belongs to one part."""
    hours = [part.from_hour for part in scenario.parts]

    assert hours[0] == 0
    assert hours == sorted(set(hours))
    assert hours[-1] < 24


@given(scenario=scenarios, seed=seeds, hour=st.floats(0, 24))
@busy
def test_episodes_follow_each_other_without_a_gap_and_change_the_state(
    scenario: Scenario, seed: int, hour: float
) -> None:
    """A pillow is always in one state or silent, and each episode is another state."""
    told = life(scenario, seed, hour=hour)

    assert told[0].from_s == 0
    for before, after in pairwise(told):
        assert before.from_s < before.until_s == after.from_s
        assert before.state != after.state


@given(scenario=scenarios, seed=seeds)
@busy
def test_every_episode_lasts_as_long_as_its_state_does(scenario: Scenario, seed: int) -> None:
    """A hug lasts 5 to 60 s, a throw 1 to 2 s, and so on; rests as the part of the day says."""
    for episode in life(scenario, seed)[1:]:
        if episode.state is None:
            low, high = scenario.silence_s
        elif episode.state == RESTING:
            low, high = part_at(scenario, 14 + episode.from_s / HOUR_S).rest_s
        else:
            low, high = scenario.lasts_s[episode.state]

        assert low - 0.001 <= episode.until_s - episode.from_s <= high + 0.001


@given(seed=seeds)
@busy
def test_a_pillow_is_thrown_only_by_a_hand_that_has_it(seed: int) -> None:
    """No throw out of rest, out of a hug or out of silence."""
    before = {a.state for a, b in pairwise(life(DAY, seed)) if b.state == "throwing"}

    assert before <= {"shaking", "punching", "spinning"}


@given(seed=seeds)
@busy
def test_silence_comes_out_of_rest_ends_in_rest_and_is_rare(seed: int) -> None:
    """Silences are about 40 s, long enough to be shown as not connected, and now and then."""
    told = life(DAY, seed, count=1000)
    around = [
        (told[at - 1].state, told[at + 1].state)
        for at in range(1, len(told) - 1)
        if told[at].state is None
    ]

    assert set(around) <= {(RESTING, RESTING)}
    assert 1 <= len(around) <= 50
    assert told[1].state is not None


def share(told: list[Episode], state: str | None) -> float:
    """How much of the time was spent in a state."""
    spent = sum(one.until_s - one.from_s for one in told if one.state == state)
    return spent / told[-1].until_s


def during(hour: float, seed: int = 1) -> list[Episode]:
    """Two hours of a day from an hour on, by many pillows one after the other."""
    told: list[Episode] = []
    for number in range(20):
        at_s = told[-1].until_s if told else 0.0
        for one in episodes(DAY, hour, random.Random(seed + number).random):
            if one.from_s > 2 * HOUR_S:
                break
            told.append(Episode(one.state, at_s + one.from_s, at_s + one.until_s))
    return told


def test_a_day_has_its_rhythm() -> None:
    """Hugs in the morning and at bedtime, play in the afternoon, quiet nights, mostly rest."""
    morning, afternoon, bedtime, night = during(6.5), during(14), during(19.5), during(1)

    assert share(morning, "hugging") > 0.25
    assert share(bedtime, "hugging") > 0.25
    assert share(afternoon, "hugging") < share(morning, "hugging")
    for state in ("punching", "shaking", "spinning", "throwing"):
        assert share(afternoon, state) > 3 * share(morning, state)
    assert share(night, RESTING) > 0.95
    for part in (morning, afternoon, bedtime, night):
        assert share(part, RESTING) > 0.5


@given(seed=seeds)
def test_a_calm_pillow_rests_or_is_hugged(seed: int) -> None:
    """Nothing else happens in `calm`, not even silence."""
    assert {episode.state for episode in life(CALM, seed)} == {RESTING, "hugging"}


@given(scenario=scenarios, chance=st.floats(0, 1, exclude_max=True))
def test_the_start_hour_lies_where_the_scenario_says(scenario: Scenario, chance: float) -> None:
    """A day begins while somebody is awake."""
    low, high = scenario.start_hour

    assert low <= start_hour(scenario, lambda: chance) <= high


@given(scenario=scenarios, seed=seeds, extreme=st.sampled_from([0.0, 1 - 2**-53]))
def test_no_chance_is_too_small_or_too_large(scenario: Scenario, seed: int, extreme: float) -> None:
    """The ends of 0..1 give episodes like any other number."""
    source = random.Random(seed)
    told = islice(
        episodes(scenario, 14, lambda: extreme if source.random() < 0.5 else source.random()), 100
    )

    assert all(one.state is None or one.state in STATES for one in told)
