"""Fleets: one seed is one stream, everywhere and for ever."""

import hashlib
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.timestamps import parse_timestamp
from simulator.model.fleet import drawn_hour, fleet, pillow_id
from simulator.model.pillow import Link, Pillow, Said, Wifi
from simulator.scenario.library import load
from simulator.scenario.plan import make_plan
from simulator.stream.faults import Stream
from tests.hypothesis_profiles import examples
from tests.unit.simulator.plans import events, kind

GOLDEN = Path(__file__).parent / "seed-7.jsonl"
GOLDEN_START = "2026-11-22T06:00:00Z"

seeds = st.integers(0, 2**63 - 1)
few = settings(max_examples=examples(15))


def stream(scenario: str, seed: int, count: int) -> bytes:
    """What `--start 2026-11-22T06:00:00Z` writes of a scenario."""
    start_us = parse_timestamp(GOLDEN_START)
    assert start_us is not None
    plan = make_plan(load(scenario), name=scenario, seed=seed)
    made = Stream(plan, fleet(plan.groups, plan.seed), lambda due_s: start_us + round(due_s * 1e6))
    return b"".join(item.body + b"\n" for item in islice(made, count) if item.link is None)


def test_seed_7_begins_as_it_always_did() -> None:
    """Byte for byte: `simulator --target stdout --seed 7 --start 2026-11-22T06:00:00Z --count 90`.

    A change of the model changes this file, and is for people to see; a change of Python, machine
    or library must not.
    """
    assert stream("day", 7, 90) == GOLDEN.read_bytes()


@pytest.mark.parametrize(
    ("scenario", "digest"),
    [
        ("busy-day", "3427c49262917ce7b75b9bb2ae0f0805b3c8586b8ce8c962feec8fc3996ff16d"),
        ("nasty-network", "5fc06d4ad7adb41525acbb951566d455e3fd96b81d57b124667a131ae323e439"),
        ("hostile-device", "a3f048ca6dada3f31921f3b5e825e014eecaf4aa9fc93d263ba162c9c484415d"),
        ("stage-demo", "6d993f59e0338a152c0e1c4b201d8248c44dfc01c9e0bf9216e8a8cf226d5183"),
    ],
)
def test_whole_scenarios_are_as_they_always_were(scenario: str, digest: str) -> None:
    """A thousand messages of each with every gesture and fault, by their digest."""
    assert hashlib.sha256(stream(scenario, 7, 1000)).hexdigest() == digest


@given(seed=seeds)
@few
def test_the_same_seed_gives_the_same_stream(seed: int) -> None:
    """Whatever was asked for before or in between."""
    assert stream("nasty-network", seed, 60) == stream("nasty-network", seed, 60)


@given(seed=seeds, pillows=st.integers(1, 4), more=st.integers(1, 4))
@few
def test_another_pillow_changes_no_other(seed: int, pillows: int, more: int) -> None:
    """A fleet is what its pillows do alone, put together."""
    alone = events([(kind(), pillows)], seed, 15)
    among = events([(kind("other"), 2), (kind(), pillows + more)], seed, 15)

    assert [one for one in among if one.kind.name == "cloud" and one.number <= pillows] == alone


@given(seed=seeds)
@few
def test_what_is_due_comes_in_its_order_and_is_counted(seed: int) -> None:
    """And `seq` counts each pillow's reports up from 0, by one."""
    found = events([(kind(), 4)], seed, 15)

    assert [one.due_s for one in found] == sorted(one.due_s for one in found)
    for number in range(1, 5):
        seqs = [one.seq for one in found if isinstance(one, Said) and one.number == number]
        assert seqs == list(range(len(seqs)))


@given(seed=seeds)
@few
def test_how_often_they_report_changes_nothing_that_happens(seed: int) -> None:
    """The same gestures at the same times, told more finely."""

    def life(every_s: float) -> list[tuple[float, str | None]]:
        pillow = Pillow(kind(every_s=every_s), 1, seed)
        found: dict[tuple[float, str | None], None] = {}
        while pillow.next_s < 60:
            list(pillow.step())
            found[(pillow._begins_s, pillow._word)] = None
        return list(found)

    assert life(10) == life(0.7)


def test_no_pillow_is_the_copy_of_another() -> None:
    """Neither in what happens to it nor when it speaks."""
    found = events([(kind(), 5)], 7, 20)
    lives = {
        number: [(one.due_s, getattr(one, "state", "")) for one in found if one.number == number]
        for number in range(1, 6)
    }

    assert len({tuple(life) for life in lives.values()}) == 5


def test_ids_and_hours() -> None:
    """From 1; and a day begins between 7 and 19."""
    assert pillow_id("cloud", 1) == "cloud-1"
    assert all(7 <= drawn_hour(seed) <= 19 for seed in range(200))


def test_a_network_that_goes_is_a_pillow_that_is_silent_and_comes_back_talking() -> None:
    """Between `down` and `up` nothing is said, and the first thing after `up` is a report."""
    found = events([(kind(wifi=Wifi(drops_every_s=8, away_s=(2, 4))), 1)], 3, 120)
    is_up = True
    links = 0
    for before, one in zip([None, *found], found, strict=False):
        if isinstance(one, Link):
            assert one.up is not is_up
            is_up, links = one.up, links + 1
        else:
            assert (one.fate == "unsaid") is not is_up
            if isinstance(before, Link) and before.up:
                assert one.due_s == before.due_s

    assert links > 10
