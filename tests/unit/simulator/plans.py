"""Plans for tests."""

from collections.abc import Iterator
from itertools import islice, takewhile
from typing import Any

from simulator.model.fleet import fleet
from simulator.model.people import PEOPLE
from simulator.model.pillow import Event, Kind
from simulator.scenario.plan import Fault, Plan, make_plan
from simulator.scenario.reading import read_scenario
from simulator.stream.faults import Item, Stream

START_US = 1_763_791_200_000_000


def kind(name: str = "cloud", **changes: object) -> Kind:
    """A group with something going on."""
    given = {"people": PEOPLE["crowd"], "hour": 15.0, "first_visit_s": (0.5, 4.0), **changes}
    return Kind(name, **given)  # type: ignore[arg-type]


def plan_of(text: str, seed: int = 7, **changes: object) -> Plan:
    """A plan of a scenario's text; `about` is put before it."""
    scenario = read_scenario(f'about = "a test"\n{text}', name="test.toml")
    return make_plan(scenario, name="test.toml", seed=seed, **changes)  # type: ignore[arg-type]


def events(kinds: list[tuple[Kind, int]], seed: int, until_s: float) -> list[Event]:
    """What a fleet does until then."""
    return list(takewhile(lambda event: event.due_s <= until_s, fleet(kinds, seed)))


def items(plan: Plan, count: int | None = None) -> tuple[list[Item], Stream]:
    """What comes of a plan, and the stream that knows its faults."""
    stream = Stream(
        plan, fleet(plan.groups, plan.seed), lambda due_s: START_US + round(due_s * 1e6)
    )
    found: Iterator[Item] = iter(stream)
    return list(found if count is None else islice(found, count)), stream


def with_faults(*faults: Fault, seed: int = 7, lasts_s: float = 20, **changes: Any) -> Plan:
    """Three pillows, and what goes wrong with them."""
    return Plan(
        "test", "", seed, 15.0, ((kind("cloud", **changes), 3),), faults=faults, lasts_s=lasts_s
    )


EVERYONE = {"cloud": None}
