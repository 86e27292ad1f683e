"""Scenario files: valid ones are read, and errors name the file, the place and what to write."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.model.visitors import VISITOR_PROFILES
from simulator.scenario.library import SCHEMA, built_in_names, load_scenario, source
from simulator.scenario.literals import (
    parse_duration,
    parse_range,
    parse_time_of_day,
    select_numbers,
)
from simulator.scenario.parsing import InvalidScenario, convert_scenario, parse_scenario
from simulator.scenario.plan import make_plan
from simulator.scenario.rules import SUBJECTS
from simulator.scenario.schema import json_schema
from tests.unit.simulator.plans import plan_of

HEAD = 'about = "a test"\n'
ONE = HEAD + "[[pillows]]\n"


def errors(text: str) -> list[str]:
    """Return the errors of a file, without its name."""
    with pytest.raises(InvalidScenario) as invalid:
        parse_scenario(text, name="a.toml")
    lines = str(invalid.value).splitlines()
    assert all(line.startswith("a.toml: ") for line in lines)
    return [line.removeprefix("a.toml: ") for line in lines]


# Those that come with the simulator


@pytest.mark.parametrize("name", built_in_names())
def test_every_built_in_scenario_is_valid(name: str) -> None:
    """It has a plan, a sentence about it, and names its schema for editors."""
    scenario = load_scenario(name)

    assert make_plan(scenario, name=name, seed=7).pillow_count >= 1
    assert scenario.about.endswith(".")
    assert source(name).startswith("#:schema ../scenario.schema.json\n")


def test_the_documented_scenarios_are_built_in() -> None:
    """At least these twelve."""
    assert {
        "day", "calm", "quiet-night", "busy-day", "hug-storm", "hundred-thousand", "flaky-wifi",
        "legacy-firmware", "hostile-device", "broken-clock", "poison-flood", "stage-demo",
    } <= set(built_in_names())  # fmt: skip


def test_the_published_schema_is_that_of_the_code() -> None:
    """`simulator.scenario.schema.json_schema` wrote `scenario.schema.json`."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json_schema()


# Literals


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *[("500ms", 0.5), ("2.5s", 2.5), ("1h30m", 5400), ("-10m", -600), ("0s", 0), ("1d", 86400)],
        ("0.1ms", 0.001),
    ],
)
def test_a_duration_is_parsed_into_seconds(text: str, seconds: float) -> None:
    """Every unit, a sum, and a negative one; a duration above zero is at least a millisecond."""
    assert parse_duration(text) == seconds


def test_a_duration_is_a_range_with_equal_ends() -> None:
    """And a time of day is parsed into hours."""
    assert parse_range("1s..5s") == (1, 5)
    assert parse_range("2m") == (120, 120)
    assert parse_time_of_day("07:30") == 7.5


@pytest.mark.parametrize(
    ("selector", "numbers"),
    [
        ("*", None),
        ("cloud-*", None),
        ("cloud-3", {3}),
        ("cloud-2..4", {2, 3, 4}),
        ("cloud-4..9", {4, 5}),
        ("cloud-9", set()),
        ("other-*", set()),
        ("cloud-1, cloud-5", {1, 5}),
        ("other-1,cloud-2", {2}),
    ],
)
def test_a_selector_selects_existing_numbers_of_its_group(
    selector: str, numbers: set[int] | None
) -> None:
    """Of five pillows named cloud; None means all of them."""
    assert select_numbers(selector, "cloud", 5) == numbers


# Errors


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (HEAD, "Object missing required field `pillows`"),
        (HEAD + "lasts = 20s", "not valid TOML: "),
        (HEAD + "a = 1\na = 2", "not valid TOML: "),
        ("pillows = 3\n" + HEAD, "Expected `array`, got `int` - at `$.pillows`"),
        ("gestures = [3]\n" + ONE, "Expected `object`, got `int` - at `$.gestures[0]`"),
        (ONE + "count = 0", "Expected `int` >= 1 - at `$.pillows[0].count`"),
        (ONE + "wifi = { loss = 2 }", "Expected `float` <= 1.0 - at `$.pillows[0].wifi.loss`"),
        (ONE + 'name = "A B"', "at `$.pillows[0].name`; write it like cloud, attic-west"),
        (ONE + "cuont = 3", "unknown field `cuont` - at `$.pillows[0]`; did you mean 'count'?"),
        (ONE + "[people.us]\nvist = 3", "at `$.people[...]`; did you mean 'visits'?"),
        (ONE + 'speaks = "morse"', "`$.pillows[0].speaks`; use one of base64, json, tuple, word"),
        (ONE + "sample-hz = 30", "at `$.pillows[0].sample-hz`; use one of 25, 50, 100"),
        (ONE + '[[expect]]\nstate = "hug"', "at `$.expect[0].state`; did you mean 'hugging'?"),
        (ONE + '[[expect]]\npoison = "some"', "use one of as sent, integer, object"),
        (ONE + "[[expect]]\npoison = { at-lest = 1 }", "did you mean 'at-least'?"),
        (ONE + "[[expect]]\nfaults = { los = 1 }", "did you mean 'loss'?"),
        (ONE + "[people.us]\nvisits = [1]\nmoods = {}", "length >= 24 - at `$.people[...].visits`"),
    ],
)
def test_an_error_in_a_key_or_type_names_its_path_and_what_is_possible(
    text: str, error: str
) -> None:
    """msgspec reports the first error; the known words come from the JSON Schema."""
    (found,) = errors(text)

    assert error in found


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            ONE + 'every = "1x"',
            "of another form - at `$.pillows[0].every`; write it like 500ms",
        ),
        (ONE + 'every = "0.0s"', "at `$.pillows[0].every`; write it like 500ms, 2.5s, 1h"),
        (
            ONE + '[[gestures]]\ngesture="hug"\nat="-1s"',
            "at `$.gestures[0].at`; write it like 500ms",
        ),
        (ONE + '[[faults]]\nkind="loss"\npillows="b"', "write it like cloud-1, cloud-2..5, "),
        ('hour = "25:00"\n' + ONE, "at `$.hour`; write it like 07:30"),
    ],
)
def test_an_error_in_a_literal_names_its_path_and_examples(text: str, error: str) -> None:
    """The pattern itself is not shown."""
    (found,) = errors(text)

    assert error in found
    assert "regex" not in found


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (ONE + 'people = "hom"', "pillows[0].people = 'hom' is unknown; use one of home, "),
        (ONE + 'speaks = "word"\nclock = "1h"', "pillows[0].clock = '1h' has no effect"),
        (ONE + 'first-visit = "5s..1s"', "pillows[0].first-visit = '5s..1s' ends before it begins"),
        (ONE + "[[pillows]]", "pillows[1].name = 'cloud' is the name of another group"),
        (ONE + '[[gestures]]\ngesture="hug"\nat="1s"\ntimes=2', "gestures[0].times needs an int"),
        (ONE + '[[gestures]]\ngesture="spin"\nat="1s"\nlasts="0s"', "'0s' must be above 0"),
        (
            ONE + '[[faults]]\nkind="loss"\npillows="b-*"',
            "'b-*' selects no pillow; there are",
        ),
        (ONE + '[[faults]]\nkind="loss"\nfrom="5s"\nuntil="5s"', "until = '5s' is not after from"),
        (ONE + "[[expect]]", "expect[0] has no subject; give it exactly one of state, "),
        (ONE + '[[expect]]\nstate="hugging"\npoison=0', "expect[0] has state and poison; give"),
        (ONE + '[[expect]]\nstate="hugging"\nfrom="9s"\nby="5s"', "by = '5s' is not after from"),
        ('lasts = "5s"\n' + ONE + '[[expect]]\nseen=1\nby="9s"', "by = '9s' is after the end"),
        (ONE + '[[expect]]\nseen=1\nreason="bad-id"', "expect[0].reason applies only to poison"),
        (ONE + '[[expect]]\nnewest=true\nby="5s"', "expect[0].by has no effect on newest"),
        (ONE + f"[people.us]\nvisits={[1] * 24}\nmoods={{}}", "people.us.moods is empty; name"),
        (ONE + f"[people.us]\nvisits={[0] * 24}\nmoods={{cuddle=1}}", "us.visits are all 0; rem"),
    ],
)
def test_a_violated_rule_names_its_table_and_what_to_change(text: str, error: str) -> None:
    """Rules between keys and between tables."""
    (found,) = errors(text)

    assert error in found


def test_all_violated_rules_are_reported_together() -> None:
    """One line for each."""
    text = ONE + 'people = "hom"\n[[expect]]\n[[expect]]\nnewest = true\nby = "5s"\n'

    assert len(errors(text)) == 3


@given(text=st.text(max_size=200))
def test_any_text_is_a_scenario_or_an_invalid_one(text: str) -> None:
    """No other exception is raised."""
    with contextlib.suppress(InvalidScenario):
        parse_scenario(text, name="a.toml")


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(0, 2) | st.sampled_from(
        ["1s", "5s..1s", "hug", "cloud-*", "*", "json", "home", "", "as sent", "neutral"]
    ),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["name", "count", "every", "kind", "rate", "at", "gesture", "pillows", "wifi", "loss",
             "state", "poison", "by", "from", "visits", "moods", "us", "at-least", "fields"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip
_tables = st.dictionaries(
    st.sampled_from(["about", "pillows", "lasts", "gestures", "faults", "expect", "people"]),
    _values,
)


@given(tables=_tables)
def test_any_tables_are_a_scenario_or_an_invalid_one(tables: dict[str, object]) -> None:
    """No other exception is raised, whatever valid TOML contains."""
    with contextlib.suppress(InvalidScenario):
        convert_scenario({"about": "a test", "pillows": [{}], **tables}, name="a.toml")


# Plans


def test_the_command_lines_pillows_rate_speed_and_duration_replace_the_scenarios() -> None:
    """Pillows are distributed in proportion to the groups."""
    text = """lasts = "1m"
    speed = 2
    [[pillows]]
    name = "a"
    count = 9
    [[pillows]]
    name = "b"
    every = "10s"
    """
    plan = plan_of(text)
    changed = plan_of(text, pillows=30, rate=4.0, speed="max", lasts_s=5.0)

    assert [(group.name, group.every_s, count) for group, count in plan.groups] == [
        ("a", 1, 9),
        ("b", 10, 1),
    ]
    assert (plan.lasts_s, plan.speed) == (60, 2)
    assert [(group.every_s, count) for group, count in changed.groups] == [(0.25, 27), (0.25, 3)]
    assert (changed.lasts_s, changed.speed) == (5, "max")


@given(counts=st.lists(st.integers(1, 50), min_size=1, max_size=5), wanted=st.integers(1, 500))
def test_a_plan_has_the_wanted_number_of_pillows_and_one_in_each_group(
    counts: list[int], wanted: int
) -> None:
    """With fewer wanted pillows than groups, each group still has one."""
    text = "".join(f'[[pillows]]\nname = "g{n}"\ncount = {c}\n' for n, c in enumerate(counts))
    plan = plan_of(text, pillows=wanted)

    assert plan.pillow_count == wanted or plan.pillow_count <= 2 * len(counts)
    assert all(count >= 1 for _, count in plan.groups)


def test_a_file_can_define_its_own_visitors() -> None:
    """Their hours and moods are those of the file."""
    visits = [0.0] * 23 + [6.0]
    plan = plan_of(
        f'[[pillows]]\npeople = "us"\n[people.us]\nvisits = {visits}\nmoods = {{ rage = 1 }}\n'
    )
    visitors = plan.groups[0][0].visitors

    assert visitors is not None
    assert (visitors.visits_per_hour, visitors.moods) == (tuple(visits), (("rage", 1.0),))


def test_the_documentation_names_every_key_and_every_built_in_name() -> None:
    """docs/simulator.md explains each of them."""
    text = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text(encoding="utf-8")
    words = (
        {word for table in json_schema()["$defs"].values() for word in table.get("properties", ())}
        | set(SUBJECTS)
        | set(VISITOR_PROFILES)
        | set(built_in_names())
    )

    assert {word for word in words if f"`{word}`" not in text} == set()
