"""Fleets: one seed gives one stream, on every machine and with every version."""

import hashlib
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.timestamps import parse_timestamp
from simulator.model.config import WifiConfig
from simulator.model.events import NetworkChange, Report
from simulator.model.fleet import fleet_events, pillow_id, random_start_hour
from simulator.model.pillow import Pillow
from simulator.scenario.library import load_scenario
from simulator.scenario.plan import make_plan
from simulator.stream.fault_injection import FaultInjector
from tests.hypothesis_profiles import examples
from tests.unit.simulator.plans import events, group

GOLDEN = Path(__file__).parent / "seed-7.jsonl"
GOLDEN_START = "2026-11-22T06:00:00Z"

seeds = st.integers(0, 2**63 - 1)
few = settings(max_examples=examples(15))


def stream(scenario: str, seed: int, count: int) -> bytes:
    """Return what `simulator run --start 2026-11-22T06:00:00Z` writes for a scenario."""
    start_us = parse_timestamp(GOLDEN_START)
    assert start_us is not None
    plan = make_plan(load_scenario(scenario), name=scenario, seed=seed)
    injector = FaultInjector(
        plan, fleet_events(plan.groups, plan.seed), lambda due_s: start_us + round(due_s * 1e6)
    )
    return b"".join(item.body + b"\n" for item in islice(injector, count) if item.network is None)


def test_seed_7_gives_the_bytes_of_the_golden_file() -> None:
    """`simulator --target stdout --seed 7 --start 2026-11-22T06:00:00Z --count 90` wrote it.

    A change of the model changes this file and must be intended. A change of Python, of the
    machine or of a library must not change it.
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
def test_a_scenario_with_seed_7_gives_the_bytes_of_its_digest(scenario: str, digest: str) -> None:
    """A thousand messages of each; together they contain every gesture and every fault."""
    assert hashlib.sha256(stream(scenario, 7, 1000)).hexdigest() == digest


@given(seed=seeds)
@few
def test_a_second_run_of_a_seed_gives_the_same_stream(seed: int) -> None:
    """No state is kept between two runs."""
    assert stream("nasty-network", seed, 60) == stream("nasty-network", seed, 60)


@given(seed=seeds, pillows=st.integers(1, 4), more=st.integers(1, 4))
@few
def test_an_additional_pillow_or_group_changes_no_other_pillow(
    seed: int, pillows: int, more: int
) -> None:
    """The events of a pillow are the same in every fleet."""
    alone = events([(group(), pillows)], seed, 15)
    among = events([(group("other"), 2), (group(), pillows + more)], seed, 15)

    assert [one for one in among if one.group.name == "cloud" and one.number <= pillows] == alone


@given(seed=seeds)
@few
def test_events_are_in_order_and_seq_counts_each_pillows_reports_from_0(seed: int) -> None:
    """Without a gap."""
    found = events([(group(), 4)], seed, 15)

    assert [one.due_s for one in found] == sorted(one.due_s for one in found)
    for number in range(1, 5):
        seqs = [one.seq for one in found if isinstance(one, Report) and one.number == number]
        assert seqs == list(range(len(seqs)))


@given(seed=seeds)
@few
def test_the_reporting_interval_does_not_change_which_gestures_happen(seed: int) -> None:
    """Nor when they begin."""

    def gestures(every_s: float) -> list[tuple[float, str | None]]:
        pillow = Pillow(group(every_s=every_s), 1, seed)
        found: dict[tuple[float, str | None], None] = {}
        while pillow.next_s < 60:
            list(pillow.step())
            found[(pillow.timeline.begins_s, pillow.timeline.next_gesture)] = None
        return list(found)

    assert gestures(10) == gestures(0.7)


def test_no_two_pillows_of_a_group_have_the_same_events() -> None:
    """They differ in their gestures and in the times of their reports."""
    found = events([(group(), 5)], 7, 20)
    by_number = {
        number: [(one.due_s, getattr(one, "state", "")) for one in found if one.number == number]
        for number in range(1, 6)
    }

    assert len({tuple(one) for one in by_number.values()}) == 5


def test_a_run_starts_between_7_and_19_o_clock() -> None:
    """For 200 seeds; and the ids of pillows are counted from 1."""
    assert pillow_id("cloud", 1) == "cloud-1"
    assert all(7 <= random_start_hour(seed) <= 19 for seed in range(200))


def test_a_pillow_sends_nothing_without_network_and_reports_at_once_when_it_is_back() -> None:
    """In 120 s with an outage every 8 s on average."""
    found = events([(group(wifi=WifiConfig(drops_every_s=8, outage_s=(2, 4))), 1)], 3, 120)
    is_up = True
    changes = 0
    for before, event in zip([None, *found], found, strict=False):
        if isinstance(event, NetworkChange):
            assert event.is_up is not is_up
            is_up, changes = event.is_up, changes + 1
        else:
            assert (event.fate == "unsent") is not is_up
            if isinstance(before, NetworkChange) and before.is_up:
                assert event.due_s == before.due_s

    assert changes > 10
