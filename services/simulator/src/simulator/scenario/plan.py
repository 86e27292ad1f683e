"""Plans: a scenario with its words made numbers, and with what the command line changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec
from msgspec import UNSET

from simulator.model.fleet import drawn_hour
from simulator.model.people import PEOPLE, People
from simulator.model.pillow import Battery, Cue, Kind, Wifi
from simulator.scenario.form import Cue as CueForm
from simulator.scenario.form import Expect, FaultKind, Group, Scenario
from simulator.scenario.form import Fault as FaultForm
from simulator.scenario.words import hours, numbers, seconds, span


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, for the pillows `numbers` of each group by its name; None is all of them."""

    kind: FaultKind
    rate: float
    numbers: Mapping[str, frozenset[int] | None]
    from_s: float = 0.0
    until_s: float = float("inf")
    by_s: tuple[float, float] | None = None
    times: int = 1
    every_s: float | None = None

    def meets(self, name: str, number: int) -> bool:
        """Say whether a pillow is one of those."""
        if name not in self.numbers:
            return False
        some = self.numbers[name]
        return some is None or number in some


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run: who, what goes wrong, what is expected, and when it ends (None: never).

    `asked` is what else the command line asked for, as options.
    """

    name: str
    about: str
    seed: int
    hour: float
    groups: tuple[tuple[Kind, int], ...]
    faults: tuple[Fault, ...] = ()
    expect: tuple[Expect, ...] = ()
    lasts_s: float | None = None
    speed: float | Literal["max"] = 1.0
    asked: str = ""

    @property
    def pillows(self) -> int:
        """How many pillows there are."""
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
    """Make a plan of a scenario.

    With `pillows` there are so many in all, each group its share and at least one; `rate` is how
    many reports a second each makes. What is None is as the scenario says.
    """
    hour = hours(scenario.hour) if scenario.hour is not UNSET else drawn_hour(seed)
    groups = tuple(
        (_kind(scenario, group, count, hour, rate), count)
        for group, count in zip(scenario.pillows, _counts(scenario, pillows), strict=True)
    )
    return Plan(
        name=name,
        about=scenario.about,
        seed=seed,
        hour=hour,
        groups=groups,
        faults=tuple(_fault(one, groups) for one in scenario.faults),
        expect=tuple(scenario.expect),
        lasts_s=lasts_s or (seconds(scenario.lasts) if scenario.lasts is not UNSET else None),
        speed=speed or (scenario.speed if scenario.speed is not UNSET else 1.0),
    )


def _counts(scenario: Scenario, pillows: int | None) -> list[int]:
    counts = [group.count for group in scenario.pillows]
    if pillows is None:
        return counts
    total = sum(counts)
    found = [max(1, pillows * count // total) for count in counts]
    # What rounding left over goes to the largest.
    largest = counts.index(max(counts))
    found[largest] = max(1, found[largest] + pillows - sum(found))
    return found


def _kind(scenario: Scenario, group: Group, count: int, hour: float, rate: float | None) -> Kind:
    wifi, drops = group.wifi, group.wifi.drops_every
    return Kind(
        name=group.name,
        every_s=1 / rate if rate is not None else seconds(group.every),
        hour=hour,
        people=_people(scenario, group.people),
        first_visit_s=span(group.first_visit) if group.first_visit is not UNSET else None,
        sample_hz=group.sample_hz,
        motion=group.motion,
        wifi=Wifi(
            wifi.loss, seconds(drops) if drops is not UNSET else float("inf"), span(wifi.away)
        ),
        battery=Battery(
            group.battery if group.battery is not UNSET else None, seconds(group.battery_lasts)
        ),
        cues=tuple(
            cue
            for one in scenario.gestures
            if (cue := _cue(one, group.name, count)).numbers != frozenset()
        ),
        speaks=group.speaks,
        fields=tuple(
            (key, msgspec.json.encode(value)) for key, value in sorted(group.fields.items())
        ),
        clock_s=seconds(group.clock),
    )


def _people(scenario: Scenario, name: str) -> People | None:
    if name in scenario.people:
        own = scenario.people[name]
        return People(name, tuple(own.visits), tuple(sorted(own.moods.items())))
    return PEOPLE[name] if name != "nobody" else None


def _cue(cue: CueForm, name: str, count: int) -> Cue:
    return Cue(
        numbers(cue.pillows, name, count),
        cue.gesture,
        seconds(cue.at),
        seconds(cue.spread),
        span(cue.lasts) if cue.lasts is not UNSET else None,
        seconds(cue.every) if cue.every is not UNSET else None,
        cue.times if cue.times is not UNSET else None,
    )


def _fault(fault: FaultForm, groups: tuple[tuple[Kind, int], ...]) -> Fault:
    met = {kind.name: numbers(fault.pillows, kind.name, count) for kind, count in groups}
    return Fault(
        fault.kind,
        fault.rate,
        {name: some for name, some in met.items() if some != frozenset()},
        seconds(fault.from_),
        seconds(fault.until) if fault.until is not UNSET else float("inf"),
        span(fault.by) if fault.by is not UNSET else None,
        fault.times,
        seconds(fault.every) if fault.every is not UNSET else None,
    )
