"""Plans for tests."""

from collections.abc import Iterator
from itertools import islice, takewhile
from typing import Any

from simulator.model.config import GroupConfig
from simulator.model.events import Event
from simulator.model.fleet import fleet_events
from simulator.model.visitors import VISITOR_PROFILES
from simulator.scenario.parsing import parse_scenario
from simulator.scenario.plan import Fault, Plan, make_plan
from simulator.stream.fault_injection import FaultInjector
from simulator.stream.items import StreamItem

START_US = 1_763_791_200_000_000

ALL_PILLOWS = {"cloud": None}
"""The `numbers` of a fault that applies to every pillow of the group "cloud"."""


def group(name: str = "cloud", **changes: object) -> GroupConfig:
    """Return a group with frequent visitors, and with the given fields."""
    defaults = {
        "visitors": VISITOR_PROFILES["crowd"],
        "start_hour": 15.0,
        "first_visit_s": (0.5, 4.0),
    }
    return GroupConfig(name, **{**defaults, **changes})  # type: ignore[arg-type]


def plan_of(text: str, seed: int = 7, **changes: object) -> Plan:
    """Return the plan of a scenario's text, which needs no `about`."""
    scenario = parse_scenario(f'about = "a test"\n{text}', name="test.toml")
    return make_plan(scenario, name="test.toml", seed=seed, **changes)  # type: ignore[arg-type]


def events(groups: list[tuple[GroupConfig, int]], seed: int, until_s: float) -> list[Event]:
    """Return a fleet's events until a time."""
    return list(takewhile(lambda event: event.due_s <= until_s, fleet_events(groups, seed)))


def items(plan: Plan, count: int | None = None) -> tuple[list[StreamItem], FaultInjector]:
    """Return a plan's items, the first `count` of them, and the injector with the fault counts."""
    injector = FaultInjector(
        plan, fleet_events(plan.groups, plan.seed), lambda due_s: START_US + round(due_s * 1e6)
    )
    stream: Iterator[StreamItem] = iter(injector)
    return list(stream if count is None else islice(stream, count)), injector


def with_faults(*faults: Fault, seed: int = 7, lasts_s: float = 20, **changes: Any) -> Plan:
    """Return a plan of three pillows with these faults."""
    return Plan(
        "test", "", seed, 15.0, ((group("cloud", **changes), 3),), faults=faults, lasts_s=lasts_s
    )
