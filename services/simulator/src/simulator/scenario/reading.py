"""Reading a scenario: its text to what it says, or everything that is wrong with it, by line."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec
from msgspec import UNSET, Struct

from simulator.model.people import PEOPLE
from simulator.scenario.form import SUBJECTS, Cue, Expect, Fault, Group, Scenario
from simulator.scenario.lines import Path, line_at, lines_of
from simulator.scenario.words import numbers, seconds, span

NO_CLOCK: Final = frozenset({"json", "base64"})


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a file: the line, from 1, and a sentence."""

    line: int
    says: str


class ScenarioWrong(Exception):
    """A scenario that cannot be run; the message has a line for each thing wrong with it."""

    def __init__(self, name: str, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(f"{name}:{one.line}: {one.says}" for one in problems))


def read_scenario(text: str, *, name: str) -> Scenario:
    """Read a scenario; `name` is said in the problems. Raises ScenarioWrong."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        says = str(error)
        at = getattr(error, "lineno", None) or _line_in(says) or text.count("\n") + 1
        raise ScenarioWrong(name, [Problem(at, f"no TOML: {says}")]) from None
    found = read_tables(tables)
    if isinstance(found, Scenario):
        return found
    lines = lines_of(text)
    problems = {Problem(line_at(lines, path), says): None for path, says in found}
    raise ScenarioWrong(name, sorted(problems, key=lambda one: one.line))


def read_tables(tables: dict[str, Any]) -> Scenario | list[tuple[Path, str]]:
    """Read what a TOML file holds; or return what is wrong with it, and where."""
    wrong = list(_table(tables, Scenario, ()))
    if wrong:
        return wrong
    scenario = msgspec.convert(tables, Scenario)
    return list(_sense(scenario)) or scenario


def _line_in(says: str) -> int | None:
    _, _, rest = says.partition("at line ")
    number = rest.split(",")[0]
    return int(number) if number.isdigit() else None


# What a table and a value may look like.

_Wrong = tuple[Path, str]


def _table(value: object, form: type[Struct], path: Path) -> Iterator[_Wrong]:
    if not isinstance(value, dict):
        yield path, f"{_name(path)} is to be a table, not {_short(value)}"
        return
    fields = {one.encode_name: one for one in msgspec.structs.fields(form)}
    for key in value:
        if key not in fields:
            yield (*path, key), f"{key!r} means nothing here{_meant(key, fields)}"
    for key, one in fields.items():
        if key in value:
            yield from _value(value[key], one.type, (*path, key))
        elif one.required:
            yield path, f"{key!r} is missing{_in(path)}: {_sentence(one.type)}"


def _value(value: object, form: Any, path: Path) -> Iterator[_Wrong]:
    bare = form
    while get_origin(bare) is Annotated:
        bare = get_args(bare)[0]
    if isinstance(bare, type) and issubclass(bare, Struct):
        yield from _table(value, bare, path)
        return
    origin, inner = get_origin(bare), get_args(bare)
    if origin is list and isinstance(inner[0], type) and issubclass(inner[0], Struct):
        if not isinstance(value, list):
            yield path, f"{_name(path)} is to be a list of tables: write [[{path[-1]}]]"
            return
        for place, one in enumerate(value):
            yield from _table(one, inner[0], (*path, place))
        if value:
            return
    is_tables = origin is dict and isinstance(inner[1], type) and issubclass(inner[1], Struct)
    if is_tables and isinstance(value, dict):
        for key, one in value.items():
            yield from _table(one, inner[1], (*path, key))
        return
    try:
        msgspec.convert(value, form)
    except msgspec.ValidationError as error:
        yield path, f"{_name(path)} = {_short(value)}: {_wanted(form, value, str(error))}"


def _wanted(form: Any, value: object, fallback: str) -> str:
    """Say what a value is to be."""
    schema = msgspec.json.schema(form)
    choices = [schema, *schema.get("anyOf", ())]
    words = [str(word) for one in choices for word in one.get("enum", ())]
    if "as sent" in words:
        return 'is to be a whole number, "as sent", or { at-least = 1, at-most = 9 }'
    if "minItems" in schema:
        return f"is to be a list of {schema['minItems']} numbers from 0 to 1000"
    if words:
        return f"is to be one of {', '.join(words)}{_meant(str(value), words)}"
    examples = [str(example) for one in choices for example in one.get("examples", ())]
    if examples:
        return f"write it like {', '.join(dict.fromkeys(examples))}"
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum")
    if low is not None:
        kind = "a whole number" if schema.get("type") == "integer" else "a number"
        above = "above" if "exclusiveMinimum" in schema else "from"
        return f"is to be {kind} {above} {low}" + (f" to {high}" if high is not None else "")
    # A key of a table, say: msgspec tells where.
    return fallback[:1].lower() + fallback[1:].replace(" - at `key` in `$`", " as a key")


def _sentence(form: Any) -> str:
    return str(msgspec.json.schema(form).get("description", "it is needed"))


def _meant(word: str, known: Mapping[str, object] | list[str]) -> str:
    near = get_close_matches(word, list(known), n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are {', '.join(known)}" if isinstance(known, Mapping) else ""


def _name(path: Path) -> str:
    text = ""
    for one in path:
        text += f"[{one + 1}]" if isinstance(one, int) else f".{one}" if text else str(one)
    return text


def _in(path: Path) -> str:
    return f" in {_name(path)}" if path else ""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


# What makes sense together.


def _sense(scenario: Scenario) -> Iterator[_Wrong]:
    yield from _durations(scenario)
    names: set[str] = set()
    for place, group in enumerate(scenario.pillows):
        at: Path = ("pillows", place)
        if group.name in names:
            yield (*at, "name"), f"there is a group {group.name!r} already; name this one otherwise"
        names.add(group.name)
        if group.people not in PEOPLE and group.people not in scenario.people:
            known = [*PEOPLE, *scenario.people]
            yield (
                (*at, "people"),
                f"no people are called {group.people!r}{_meant(group.people, known)}; there are "
                + ", ".join(known)
                + ", and what you write as [people.NAME]",
            )
        if group.clock != "0s" and group.speaks not in NO_CLOCK:
            yield (*at, "clock"), f"a pillow that speaks {group.speaks!r} tells no time at all"
    for key, circle in scenario.people.items():
        if not circle.moods:
            yield ("people", key, "moods"), "name at least one mood, like {cuddle = 1}"
        if not any(circle.visits):
            yield ("people", key, "visits"), 'these people never come; use people = "nobody"'
    for place, cue in enumerate(scenario.gestures):
        yield from _meets(scenario.pillows, cue, ("gestures", place))
        if cue.times is not UNSET and cue.every is UNSET:
            yield ("gestures", place, "times"), "say how far apart they are: every = ..."
    for place, fault in enumerate(scenario.faults):
        yield from _meets(scenario.pillows, fault, ("faults", place))
        if fault.until is not UNSET and seconds(fault.until) <= seconds(fault.from_):
            yield ("faults", place, "until"), f"is not after from = {fault.from_!r}"
    for place, expect in enumerate(scenario.expect):
        yield from _expectation(scenario, expect, ("expect", place))


def _durations(scenario: Scenario) -> Iterator[_Wrong]:
    """Find durations that run backwards, and times between things that are none."""
    tables: list[tuple[Path, Struct]] = [((), scenario)]
    for key, several in (
        ("pillows", scenario.pillows),
        ("gestures", scenario.gestures),
        ("faults", scenario.faults),
        ("expect", scenario.expect),
    ):
        tables += [((key, place), one) for place, one in enumerate(several)]
    tables += [(("pillows", place, "wifi"), one.wifi) for place, one in enumerate(scenario.pillows)]
    for path, table in tables:
        for field in msgspec.structs.fields(table):
            value = getattr(table, field.name)
            key = field.encode_name
            if key not in _TIMES or not isinstance(value, str):
                continue
            low, high = span(value)
            if low < 0 and key != "clock":
                yield (*path, key), f"{_name((*path, key))} = {value!r} is less than nothing"
            elif high < low:
                yield (*path, key), f"{_name((*path, key))} = {value!r} runs backwards"
            elif key in _SPACES and low < 0.001:
                yield (*path, key), f"{_name((*path, key))} = {value!r} is to be above 0"


_TIMES: Final = frozenset(
    {
        "lasts", "every", "first-visit", "clock", "battery-lasts", "drops-every", "away", "at",
        "spread", "from", "until", "by",
    }
)  # fmt: skip
_SPACES: Final = frozenset({"every", "drops-every", "lasts", "battery-lasts"})


def _meets(groups: list[Group], one: Cue | Fault, path: Path) -> Iterator[_Wrong]:
    if not any(numbers(one.pillows, group.name, group.count) != frozenset() for group in groups):
        ids = ", ".join(
            f"{group.name}-1" + (f"..{group.count}" if group.count > 1 else "") for group in groups
        )
        yield (*path, "pillows"), f"{one.pillows!r} names no pillow; there are {ids}"


def _expectation(scenario: Scenario, expect: Expect, path: Path) -> Iterator[_Wrong]:
    subjects = [one for one in SUBJECTS if getattr(expect, one) is not UNSET]
    if len(subjects) != 1:
        says = f"has {' and '.join(subjects)}" if subjects else "expects nothing"
        yield path, f"{_name(path)} {says}; give it exactly one of {', '.join(SUBJECTS)}"
        return
    if expect.reason is not UNSET and subjects != ["poison"]:
        yield (*path, "reason"), "only goes with poison"
    if expect.by is not UNSET:
        if seconds(expect.by) <= seconds(expect.from_):
            yield (*path, "by"), f"by = {expect.by!r} is not after from = {expect.from_!r}"
        if scenario.lasts is not UNSET and seconds(expect.by) > seconds(scenario.lasts):
            yield (
                (*path, "by"),
                f"by = {expect.by!r} is after the end: lasts = {scenario.lasts!r}",
            )
    if subjects[0] in ("newest", "sent", "faults", "poison") and expect.by is not UNSET:
        yield (*path, "by"), f"{subjects[0]} is looked at when all has arrived; leave out by"
