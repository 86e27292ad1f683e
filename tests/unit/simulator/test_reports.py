"""Reports: what a pillow says is believable, decodes, and says what it is said to say."""

import json
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.instants import format_instant
from contract.messages import Reading, decode_message
from simulator.reports import Report, battery, encode_body, reports
from simulator.scenario import RESTING, Chance, Episode, Scenario
from tests.unit.simulator.strategies import busy, first, rates, scenarios, seeds

NOON_US = 1_795_348_800_000_000


def half() -> float:
    """A chance that is always in the middle."""
    return 0.5


def told(*life: Episode, rate: float = 1, chance: Chance = half) -> list[Report]:
    """What a pillow with this life says."""
    return list(reports("cloud-1", life, rate=rate, chance=chance))


def test_a_pillow_reports_its_present_state_at_even_intervals() -> None:
    """Also while it rests: a pillow that says nothing would be shown as not connected."""
    said = told(Episode(RESTING, 0, 2), Episode("hugging", 2, 4.2))

    assert [(one.due_s, one.state) for one in said] == [
        (0.5, RESTING),
        (1.5, RESTING),
        (2.5, "hugging"),
        (3.5, "hugging"),
    ]


def test_a_silent_pillow_says_nothing_and_then_goes_on_counting() -> None:
    """The interval goes on beneath the silence."""
    said = told(Episode(RESTING, 0, 2), Episode(None, 2, 42), Episode(RESTING, 42, 44))

    assert [(one.due_s, one.seq) for one in said] == [(0.5, 0), (1.5, 1), (42.5, 2), (43.5, 3)]


def test_an_episode_between_two_reports_goes_untold() -> None:
    """A rate too low for a throw misses it, and keeps its intervals."""
    said = told(
        Episode("shaking", 0, 9), Episode("throwing", 9, 10), Episode(RESTING, 10, 20), rate=0.2
    )

    assert [(one.due_s, one.state) for one in said] == [
        (2.5, "shaking"),
        (7.5, "shaking"),
        (12.5, RESTING),
        (17.5, RESTING),
    ]


@given(scenario=scenarios, seed=seeds, rate=rates)
@busy
def test_every_number_is_believable_and_short(scenario: Scenario, seed: int, rate: float) -> None:
    """Shares lie in 0..1 with two decimals, samples within what the sensor can say."""
    for one in first(100, scenario=scenario, rate=rate, seed=seed):
        assert 0 <= one.confidence <= 1
        assert 0 <= one.battery <= 1
        assert one.confidence == round(one.confidence, 2)
        assert one.battery == round(one.battery, 2)
        assert len(one.motion) == (0 if one.state == RESTING else 3)
        for sample in one.motion:
            assert all(-4 <= axis <= 4 and axis == round(axis, 3) for axis in sample)


@given(scenario=scenarios, seed=seeds, at_us=st.integers(0, 4_000_000_000_000_000))
@busy
def test_every_body_decodes_to_the_state_it_says(scenario: Scenario, seed: int, at_us: int) -> None:
    """The contract reads each body as the pillow and state it was made for."""
    for one in first(60, scenario=scenario, seed=seed):
        body = encode_body(one, at_us)
        reading = decode_message(body, default_pillow="another", queued_us=at_us)

        assert isinstance(reading, Reading)
        assert (reading.pillow, reading.state) == (one.pillow, one.state)
        assert reading.order == (at_us // 1000 * 1000, one.seq)
        assert reading.content == body, "already in the normal form"


def test_a_body_is_the_normal_form_of_the_design() -> None:
    """Its fields, in the order people read them; no motion where there is none."""
    body = encode_body(Report(0.5, "cloud-1", "neutral", 7, 0.93, 0.81, ()), NOON_US + 123_456)

    assert body == (
        b'{"pillow":"cloud-1","state":"neutral","at":"2026-11-22T12:00:00.123Z","seq":7,'
        b'"confidence":0.93,"battery":0.81}'
    )
    assert format_instant(NOON_US) == "2026-11-22T12:00:00.000Z"


def test_no_sample_is_a_negative_zero() -> None:
    """`-0.0` is legal JSON and a question nobody needs to ask."""
    chances = iter([0.5, 0.5, 0.5] + [0.4999] * 9)
    (said,) = islice(
        reports("cloud-1", [Episode("throwing", 0, 1)], rate=1, chance=lambda: next(chances)), 1
    )

    assert "-0.0," not in json.dumps(said.motion)
    assert "-0.0]" not in json.dumps(said.motion)


def test_something_new_is_less_certain_than_something_that_goes_on() -> None:
    """The first second of a hug is a guess."""
    said = told(Episode(RESTING, 0, 1), Episode("hugging", 1, 4))

    assert said[1].confidence < said[2].confidence == said[0].confidence


def test_a_battery_drains_slowly_and_is_charged() -> None:
    """Never empty, never above full, down for five hours and up for one, and so on."""
    levels = [battery(60.0 * minute) for minute in range(12 * 60)]

    assert levels[0] == 1
    assert min(levels) == pytest.approx(0.12)
    assert levels[: 5 * 60] == sorted(levels[: 5 * 60], reverse=True)
    assert levels[5 * 60 : 6 * 60] == sorted(levels[5 * 60 : 6 * 60])
    assert levels[6 * 60 :] == levels[: 6 * 60]
    assert all(abs(a - b) < 0.02 for a, b in pairwise(levels))
