"""Plans: a scenario converted into numbers, with the changes of the command line applied."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from simulator.model.config import BatteryConfig, GroupConfig, ScheduledGesture, WifiConfig
from simulator.model.fleet import random_start_hour
from simulator.model.visitors import VISITOR_PROFILES, Range, VisitorProfile
from simulator.scenario.literals import (
    parse_duration,
    parse_range,
    parse_time_of_day,
    select_numbers,
)
from simulator.scenario.schema import Expect, Group, Scenario
from simulator.scenario.schema import Fault as FaultTable
from simulator.scenario.schema import Gesture as GestureTable
from simulator.scenario.schema_types import FaultKind

_NEVER_S = float("inf")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault for the pillows `numbers` of each group, by the group's name; None means all."""

    kind: FaultKind
    rate: float
    numbers: Mapping[str, frozenset[int] | None]
    from_s: float = 0.0
    until_s: float = _NEVER_S
    by_s: Range | None = None
    times: int = 1
    every_s: float | None = None

    def applies_to(self, group: str, number: int) -> bool:
        """Return whether a pillow is one of the fault's."""
        if group not in self.numbers:
            return False
        numbers = self.numbers[group]
        return numbers is None or number in numbers


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run: groups with their numbers of pillows, faults, expectations and the duration.

    `lasts_s` None means without end. `options` are the command line's options, to repeat the run.
    """

    name: str
    about: str
    seed: int
    start_hour: float
    groups: tuple[tuple[GroupConfig, int], ...]
    faults: tuple[Fault, ...] = ()
    expect: tuple[Expect, ...] = ()
    lasts_s: float | None = None
    speed: float | Literal["max"] = 1.0
    options: str = ""

    @property
    def pillow_count(self) -> int:
        """Number of pillows in all groups."""
        return sum(count for _, count in self.groups)


def make_plan(
    scenario: Scenario,
    *,
    name: str,
    seed: int,
    pillows: int | None = None,
    rate: float | None = None,
    speed: float | Literal["max"] | None = None,
    lasts_s: float | None = None,
) -> Plan:
    """Make a plan of a scenario; what is None is as the scenario says.

    `pillows` is the number of pillows in all, which the groups share in proportion, each at least
    one. `rate` is the number of reports a second of each pillow.
    """
    hour = (
        parse_time_of_day(scenario.hour) if scenario.hour is not UNSET else random_start_hour(seed)
    )
    groups = tuple(
        (_group_config(scenario, group, count, hour, rate), count)
        for group, count in zip(scenario.pillows, _counts(scenario, pillows), strict=True)
    )
    return Plan(
        name=name,
        about=scenario.about,
        seed=seed,
        start_hour=hour,
        groups=groups,
        faults=tuple(_fault(fault, groups) for fault in scenario.faults),
        expect=tuple(scenario.expect),
        lasts_s=lasts_s or _duration(scenario.lasts),
        speed=speed or (scenario.speed if scenario.speed is not UNSET else 1.0),
    )


def _duration(text: str | UnsetType) -> float | None:
    return parse_duration(text) if isinstance(text, str) else None


def _range(text: str | UnsetType) -> Range | None:
    return parse_range(text) if isinstance(text, str) else None


def _counts(scenario: Scenario, pillows: int | None) -> list[int]:
    """Return the number of pillows of each group."""
    counts = [group.count for group in scenario.pillows]
    if pillows is None:
        return counts
    total = sum(counts)
    shares = [max(1, pillows * count // total) for count in counts]
    # The remainder of the division goes to the largest group.
    largest = counts.index(max(counts))
    shares[largest] = max(1, shares[largest] + pillows - sum(shares))
    return shares


def _group_config(
    scenario: Scenario, group: Group, count: int, hour: float, rate: float | None
) -> GroupConfig:
    return GroupConfig(
        name=group.name,
        every_s=1 / rate if rate is not None else parse_duration(group.every),
        start_hour=hour,
        visitors=_visitors(scenario, group.people),
        first_visit_s=_range(group.first_visit),
        sample_hz=group.sample_hz,
        motion=group.motion,
        wifi=WifiConfig(
            loss=group.wifi.loss,
            drops_every_s=_duration(group.wifi.drops_every) or _NEVER_S,
            outage_s=parse_range(group.wifi.away),
        ),
        battery=BatteryConfig(
            initial=group.battery if group.battery is not UNSET else None,
            lasts_s=parse_duration(group.battery_lasts),
        ),
        schedule=tuple(
            scheduled
            for gesture in scenario.gestures
            if (scheduled := _scheduled(gesture, group.name, count)).numbers != frozenset()
        ),
        dialect=group.speaks,
        fields=tuple(
            (key, msgspec.json.encode(value)) for key, value in sorted(group.fields.items())
        ),
        clock_s=parse_duration(group.clock),
    )


def _visitors(scenario: Scenario, name: str) -> VisitorProfile | None:
    if name in scenario.people:
        people = scenario.people[name]
        return VisitorProfile(name, tuple(people.visits), tuple(sorted(people.moods.items())))
    return VISITOR_PROFILES[name] if name != "nobody" else None


def _scheduled(gesture: GestureTable, group: str, count: int) -> ScheduledGesture:
    return ScheduledGesture(
        numbers=select_numbers(gesture.pillows, group, count),
        gesture=gesture.gesture,
        at_s=parse_duration(gesture.at),
        spread_s=parse_duration(gesture.spread),
        duration_s=_range(gesture.lasts),
        every_s=_duration(gesture.every),
        times=gesture.times if gesture.times is not UNSET else None,
    )


def _fault(fault: FaultTable, groups: tuple[tuple[GroupConfig, int], ...]) -> Fault:
    selected = {
        group.name: select_numbers(fault.pillows, group.name, count) for group, count in groups
    }
    return Fault(
        kind=fault.kind,
        rate=fault.rate,
        numbers={name: numbers for name, numbers in selected.items() if numbers != frozenset()},
        from_s=parse_duration(fault.from_),
        until_s=_NEVER_S if fault.until is UNSET else parse_duration(fault.until),
        by_s=_range(fault.by),
        times=fault.times,
        every_s=_duration(fault.every),
    )
