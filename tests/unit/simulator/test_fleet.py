"""Fleets: one seed is one stream, everywhere and for ever."""

import hashlib
from dataclasses import replace
from itertools import combinations, islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.instants import parse_instant
from simulator.fleet import fleet, fleet_hour, pillow_id
from simulator.reports import Report, encode_body
from simulator.scenario import CALM, DAY, RESTING, Scenario
from tests.unit.simulator.strategies import busy, first, rates, scenarios, seeds, until

GOLDEN = Path(__file__).parent / "seed-7.jsonl"
GOLDEN_START = "2026-11-22T06:00:00Z"


def body(report: Report) -> bytes:
    """What `--start 2026-11-22T06:00:00Z` writes for a report."""
    start_us = parse_instant(GOLDEN_START)
    assert start_us is not None
    return encode_body(report, start_us + round(report.due_s * 1e6))


def test_seed_7_begins_as_it_always_did() -> None:
    """Byte for byte: `simulator --target stdout --seed 7 --start 2026-11-22T06:00:00Z --count 90`.

    A change to a scenario changes this file, and is for people to see; a change of Python,
    machine or library must not.
    """
    said = b"".join(body(report) + b"\n" for report in first(90, scenario=DAY, seed=7))

    assert said.decode().splitlines() == GOLDEN.read_text().splitlines()
    assert said == GOLDEN.read_bytes()


@pytest.mark.parametrize(
    ("scenario", "digest"),
    [
        (DAY, "2ea5e6388a783b95245a9c7b84b9c988757657981b9b1e5bffeb831eb9bc926a"),
        (CALM, "47f78ca04ba413229ae03c99361ad12c9d82db124ab499d0c24d8f2441994e1f"),
    ],
    ids=["day", "calm"],
)
def test_hours_of_a_stream_are_as_they_always_were(scenario: Scenario, digest: str) -> None:
    """The same for 20,000 reports of five pillows, by their digest."""
    said = hashlib.sha256()
    for report in islice(fleet(scenario, pillows=5, rate=1, seed=7), 20_000):
        said.update(body(report) + b"\n")

    assert said.hexdigest() == digest


@given(scenario=scenarios, seed=seeds, rate=rates, pillows=st.integers(1, 6))
@busy
def test_the_same_seed_gives_the_same_stream(
    scenario: Scenario, seed: int, rate: float, pillows: int
) -> None:
    """Whatever was asked for before or in between."""
    once = first(80, scenario=scenario, pillows=pillows, rate=rate, seed=seed)
    again = first(80, scenario=scenario, pillows=pillows, rate=rate, seed=seed)

    assert once == again


@given(seed=st.integers(0, 2**62), other=st.integers(0, 2**62))
def test_another_seed_gives_another_stream(seed: int, other: int) -> None:
    """Seeds do not meet."""
    same = first(30, scenario=DAY, seed=seed) == first(30, scenario=DAY, seed=other)

    assert same == (seed == other)


@given(seed=seeds, pillows=st.integers(1, 5), more=st.integers(1, 5))
@busy
def test_another_pillow_changes_no_other(seed: int, pillows: int, more: int) -> None:
    """A fleet is what its pillows say alone, put together."""
    few = until(40, scenario=DAY, seed=seed, pillows=pillows)
    ids = {pillow_id(number) for number in range(1, pillows + 1)}
    among_many = until(40, scenario=DAY, seed=seed, pillows=pillows + more)

    assert [one for one in among_many if one.pillow in ids] == few


@given(scenario=scenarios, seed=seeds, rate=rates, pillows=st.integers(1, 6))
def test_reports_come_in_the_order_in_which_they_are_due(
    scenario: Scenario, seed: int, rate: float, pillows: int
) -> None:
    """And `seq` counts each pillow's up from 0, by one."""
    said = first(80, scenario=scenario, pillows=pillows, rate=rate, seed=seed)

    assert [one.due_s for one in said] == sorted(one.due_s for one in said)
    for pillow in {one.pillow for one in said}:
        seqs = [one.seq for one in said if one.pillow == pillow]
        assert seqs == list(range(len(seqs)))


@given(seed=seeds)
@busy
def test_no_pillow_is_the_copy_of_another(seed: int) -> None:
    """Neither in what happens to it nor in what it says of that."""
    said = until(30, scenario=DAY, seed=seed)
    lives = [
        [replace(one, pillow="") for one in said if one.pillow == pillow_id(number)]
        for number in (1, 2, 3)
    ]

    assert all(one != other for one, other in combinations(lives, 2))


@given(seed=seeds)
@busy
def test_it_is_seen_to_be_alive_at_once(seed: int) -> None:
    """Whoever has just started it sees each pillow do something within 20 seconds."""
    said = until(20, scenario=DAY, seed=seed)

    for number in (1, 2, 3):
        assert {one.state for one in said if one.pillow == pillow_id(number)} - {RESTING}


@given(seed=seeds)
@busy
def test_reporting_more_often_tells_the_same_life_more_finely(seed: int) -> None:
    """The rate is not part of what happens: the states passed through are the same."""

    def passed(rate: float) -> list[str]:
        states = [
            one.state
            for one in first(int(20 * rate), scenario=CALM, pillows=1, rate=rate, seed=seed)
        ]
        return [state for at, state in enumerate(states) if at == 0 or states[at - 1] != state]

    seldom, often = passed(2), passed(20)

    assert often[: len(seldom)] == seldom or seldom[: len(often)] == often


@given(seed=seeds)
def test_a_day_begins_when_somebody_is_awake(seed: int) -> None:
    """Nobody wants to watch the first hours of a night."""
    assert 7 <= fleet_hour(DAY, seed) <= 19
