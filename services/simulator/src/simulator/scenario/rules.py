"""The rules between the keys and tables of a scenario, which a schema cannot express.

Each violation is a sentence that names the table, the value and what to write instead. Tables of a
list are counted from 0, as msgspec counts them.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import UNSET, UnsetType

from simulator.model.visitors import VISITOR_PROFILES
from simulator.scenario.literals import parse_duration, parse_range, select_numbers
from simulator.scenario.schema import Expect, Fault, Gesture, Group, Scenario

SUBJECTS: Final = (
    "state", "availability", "seen", "states", "sent", "faults", "poison", "newest",
)  # fmt: skip
"""The subjects of an expectation, of which it has exactly one."""

_FINAL_SUBJECTS: Final = frozenset({"newest", "sent", "faults", "poison"})
"""Subjects that are checked only after everything has arrived."""


def violations(scenario: Scenario) -> Iterator[str]:
    """Return a sentence for each violated rule."""
    yield from _groups(scenario)
    for name, people in scenario.people.items():
        if not people.moods:
            yield f"people.{name}.moods is empty; name at least one mood, like {{cuddle = 1}}"
        if not any(people.visits):
            yield f'people.{name}.visits are all 0; remove it and use people = "nobody"'
    for index, gesture in enumerate(scenario.gestures):
        yield from _range(f"gestures[{index}].lasts", gesture.lasts, above_zero=True)
        yield from _selection(f"gestures[{index}]", gesture, scenario.pillows)
        if gesture.times is not UNSET and gesture.every is UNSET:
            yield f'gestures[{index}].times needs an interval as well, like every = "10s"'
    for index, fault in enumerate(scenario.faults):
        yield from _range(f"faults[{index}].by", fault.by)
        yield from _selection(f"faults[{index}]", fault, scenario.pillows)
        if isinstance(fault.until, str) and not _is_after(fault.until, fault.from_):
            yield f"faults[{index}].until = {fault.until!r} is not after from = {fault.from_!r}"
    for index, expect in enumerate(scenario.expect):
        yield from _expectation(f"expect[{index}]", expect, scenario)


def _groups(scenario: Scenario) -> Iterator[str]:
    names: set[str] = set()
    for index, group in enumerate(scenario.pillows):
        table = f"pillows[{index}]"
        if group.name in names:
            yield f"{table}.name = {group.name!r} is the name of another group; change one of them"
        names.add(group.name)
        yield from _range(f"{table}.first-visit", group.first_visit)
        yield from _range(f"{table}.wifi.away", group.wifi.away)
        if group.people not in VISITOR_PROFILES and group.people not in scenario.people:
            known = ", ".join([*VISITOR_PROFILES, *scenario.people])
            yield (
                f"{table}.people = {group.people!r} is unknown; use one of {known}, or define "
                f"[people.{group.people}]"
            )
        if group.clock != "0s" and group.speaks in ("word", "tuple"):
            yield (
                f"{table}.clock = {group.clock!r} has no effect, because a report in the dialect "
                f"{group.speaks!r} contains no time; remove it"
            )


def _range(key: str, text: str | UnsetType, *, above_zero: bool = False) -> Iterator[str]:
    if isinstance(text, str):
        low_s, high_s = parse_range(text)
        if above_zero and low_s == 0:
            yield f"{key} = {text!r} must be above 0"
        elif high_s < low_s:
            yield f"{key} = {text!r} ends before it begins; write the smaller duration first"


def _selection(table: str, entry: Gesture | Fault, groups: list[Group]) -> Iterator[str]:
    selected = (select_numbers(entry.pillows, group.name, group.count) for group in groups)
    if all(numbers == frozenset() for numbers in selected):
        ids = ", ".join(
            f"{group.name}-1" + (f"..{group.count}" if group.count > 1 else "") for group in groups
        )
        yield f"{table}.pillows = {entry.pillows!r} selects no pillow; there are {ids}"


def _expectation(table: str, expect: Expect, scenario: Scenario) -> Iterator[str]:
    subjects = [subject for subject in SUBJECTS if getattr(expect, subject) is not UNSET]
    if len(subjects) != 1:
        yield (
            f"{table} has {' and '.join(subjects) or 'no subject'}; give it exactly one of "
            + ", ".join(SUBJECTS)
        )
        return
    if expect.reason is not UNSET and subjects != ["poison"]:
        yield f"{table}.reason applies only to poison; remove it"
    if isinstance(expect.by, str):
        if not _is_after(expect.by, expect.from_):
            yield f"{table}.by = {expect.by!r} is not after from = {expect.from_!r}"
        if isinstance(scenario.lasts, str) and _is_after(expect.by, scenario.lasts):
            yield f"{table}.by = {expect.by!r} is after the end, lasts = {scenario.lasts!r}"
        if subjects[0] in _FINAL_SUBJECTS:
            yield f"{table}.by has no effect on {subjects[0]}, checked at the end; remove it"


def _is_after(text: str, other: str) -> bool:
    return parse_duration(text) > parse_duration(other)
