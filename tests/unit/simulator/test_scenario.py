"""Scenario files: what is right is read, and what is wrong is said with its line."""

import contextlib
import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.model.people import PEOPLE
from simulator.scenario.form import SUBJECTS, Scenario, json_schema
from simulator.scenario.library import SCHEMA, load, shipped, source
from simulator.scenario.lines import line_at, lines_of
from simulator.scenario.plan import make_plan
from simulator.scenario.reading import ScenarioWrong, read_scenario, read_tables
from simulator.scenario.words import hours, numbers, seconds, span
from tests.unit.simulator.plans import plan_of

HEAD = 'about = "a test"\n'
ONE = HEAD + "[[pillows]]\n"


def problems(text: str) -> list[tuple[int, str]]:
    """What is wrong with a file."""
    with pytest.raises(ScenarioWrong) as wrong:
        read_scenario(text, name="a.toml")
    return [(one.line, one.says) for one in wrong.value.problems]


# Those that come with the simulator


@pytest.mark.parametrize("name", shipped())
def test_every_scenario_that_is_shipped_is_right(name: str) -> None:
    """It is read, planned, and says in a sentence what it is."""
    scenario = load(name)

    assert make_plan(scenario, name=name, seed=7).pillows >= 1
    assert scenario.about.endswith(".")
    assert source(name).startswith("#:schema ../scenario.schema.json\n")


def test_there_are_a_dozen_and_those_that_were_asked_for() -> None:
    """At least."""
    assert len(shipped()) >= 12
    assert {
        "day", "calm", "quiet-night", "busy-day", "hug-storm", "hundred-thousand", "flaky-wifi",
        "legacy-firmware", "hostile-device", "broken-clock", "poison-flood", "stage-demo",
    } <= set(shipped())  # fmt: skip


def test_the_published_schema_is_that_of_the_code() -> None:
    """`scenario.schema.json` is made anew by `simulator.scenario.form.json_schema`."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json_schema()


# Words


@pytest.mark.parametrize(
    ("text", "value"),
    [("500ms", 0.5), ("2.5s", 2.5), ("1h30m", 5400), ("-10m", -600), ("0s", 0), ("1d", 86400)],
)
def test_durations(text: str, value: float) -> None:
    """In seconds."""
    assert seconds(text) == value


def test_ranges_and_hours() -> None:
    """One duration is both ends."""
    assert span("1s..5s") == (1, 5)
    assert span("2m") == (120, 120)
    assert hours("07:30") == 7.5


@pytest.mark.parametrize(
    ("who", "met"),
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
def test_who_is_meant(who: str, met: set[int] | None) -> None:
    """Of five pillows called cloud."""
    assert numbers(who, "cloud", 5) == met


# Lines


def test_where_things_stand() -> None:
    """Tables, lists of tables, tables within, keys with dots, and text that looks like keys."""
    text = "\n".join(
        [
            'about = """',  # 1
            "lasts = 3",  # 2: only text
            '"""',  # 3
            "[[pillows]]",  # 4
            'name = "a"',  # 5
            "[pillows.wifi]  # a table within",  # 6
            "loss = 2",  # 7
            "[[pillows]]",  # 8
            "wifi.loss = 3",  # 9
            '[people."us"]',  # 10
            "visits = [",  # 11
            "  1,",  # 12
            "]",  # 13
        ]
    )
    found = lines_of(text)
    tomllib.loads(text)

    assert line_at(found, ("about",)) == 1
    assert line_at(found, ("lasts",)) == 1  # nowhere: the file
    assert line_at(found, ("pillows", 0)) == 4
    assert line_at(found, ("pillows", 0, "name")) == 5
    assert line_at(found, ("pillows", 0, "wifi", "loss")) == 7
    assert line_at(found, ("pillows", 1, "wifi", "loss")) == 9
    assert line_at(found, ("pillows", 1, "count")) == 8
    assert line_at(found, ("people", "us", "visits", 0)) == 11


# What is wrong


def test_everything_wrong_is_said_at_once_with_its_line() -> None:
    """In the order of the file."""
    text = """about = 3
lasts = "soon"
[[pillows]]
cuont = 3
every = "1x"
[[gestures]]
gesture = "kick"
[[faults]]
kind = "delay"
rate = 1.5
"""
    assert [(line, says.split(":")[0]) for line, says in problems(text)] == [
        (1, "about = 3"),
        (2, "lasts = 'soon'"),
        (4, "'cuont' means nothing here; did you mean 'count'?"),
        (5, "pillows[1].every = '1x'"),
        (6, "'at' is missing in gestures[1]"),
        (7, "gestures[1].gesture = 'kick'"),
        (10, "faults[1].rate = 1.5"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (HEAD, 1, "'pillows' is missing: Who there is."),
        (ONE + "count = 0", 3, "is to be a whole number from 1 to 1000000"),
        (ONE + 'every = "0s"', 3, "is to be above 0"),
        (ONE + 'people = "hom"', 3, "did you mean 'home'?"),
        (ONE + 'speaks = "morse"', 3, "one of base64, json, tuple, word"),
        (ONE + 'speaks = "word"\nclock = "1h"', 4, "tells no time at all"),
        (ONE + "[[pillows]]", 3, "there is a group 'cloud' already"),
        (ONE + 'first-visit = "5s..1s"', 3, "runs backwards"),
        (ONE + 'wifi = { loss = 2 }', 3, "pillows[1].wifi.loss = 2: is to be a number from 0 to 1"),
        (ONE + '[[gestures]]\ngesture="hug"\nat="-1s"', 5, "is less than nothing"),
        (ONE + '[[gestures]]\ngesture="hug"\nat="1s"\ntimes=2', 6, "say how far apart they are"),
        (ONE + '[[faults]]\nkind="loss"\npillows="b-*"', 5, "names no pillow; there are cloud-1"),
        (ONE + '[[faults]]\nkind="loss"\nfrom="5s"\nuntil="5s"', 6, "is not after from"),
        (ONE + "[[expect]]", 3, "expects nothing"),
        (ONE + '[[expect]]\nstate="hugging"\npoison=0', 3, "has state and poison"),
        (ONE + '[[expect]]\nstate="hugging"\nfrom="9s"\nby="5s"', 6, "is not after from"),
        ('lasts = "5s"\n' + ONE + '[[expect]]\nseen=1\nby="9s"', 6, "is after the end"),
        (ONE + '[[expect]]\nseen=1\nreason="bad-id"', 5, "only goes with poison"),
        (ONE + '[[expect]]\nnewest=true\nby="5s"', 5, "leave out by"),
        (ONE + '[[expect]]\npoison="some"', 4, 'a whole number, "as sent", or { at-least = 1'),
        (ONE + "[people.us]\nvisits=[1]\nmoods={cuddle=1}", 4, "24 numbers"),
        (ONE + f"[people.us]\nvisits={[0] * 24}\nmoods={{cuddle=1}}", 4, "these people never come"),
        ("pillows = 3\n" + HEAD, 1, "write [[pillows]]"),
        ("gestures = [3]\n" + ONE, 1, "is to be a table, not 3"),
        (HEAD + "lasts = 20s", 2, "no TOML"),
        (HEAD + "a = 1\na = 2", 3, "no TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(text: str, line: int, says: str) -> None:
    """One thing, where it is, and what to write instead."""
    ((found_line, found_says),) = problems(text)

    assert says in found_says
    assert found_line == line


@given(text=st.text(max_size=200))
def test_any_text_is_a_scenario_or_wrong(text: str) -> None:
    """Never another exception."""
    with contextlib.suppress(ScenarioWrong):
        read_scenario(text, name="a.toml")


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(0, 2) | st.sampled_from(
        ["1s", "5s..1s", "hug", "cloud-*", "*", "json", "home", "", "as sent", "neutral"]
    ),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["name", "count", "every", "kind", "rate", "at", "gesture", "pillows", "wifi", "loss",
             "state", "poison", "by", "from", "visits", "moods", "us", "at-least"]
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
def test_any_tables_are_a_scenario_or_wrong(tables: dict[str, object]) -> None:
    """What the reader of TOML lets through is judged, whatever it is."""
    found = read_tables(tables)

    assert isinstance(found, Scenario) or all(says for _, says in found)


# Plans


def test_a_plan_takes_from_the_command_line_what_it_is_given() -> None:
    """How many in all, how often, how fast, how long."""
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

    assert [(kind.name, kind.every_s, count) for kind, count in plan.groups] == [
        ("a", 1, 9),
        ("b", 10, 1),
    ]
    assert (plan.lasts_s, plan.speed) == (60, 2)
    assert [(kind.every_s, count) for kind, count in changed.groups] == [(0.25, 27), (0.25, 3)]
    assert (changed.lasts_s, changed.speed) == (5, "max")


@given(counts=st.lists(st.integers(1, 50), min_size=1, max_size=5), wanted=st.integers(1, 500))
def test_so_many_pillows_as_were_asked_for(counts: list[int], wanted: int) -> None:
    """In all, but each group has one at least."""
    text = "".join(f'[[pillows]]\nname = "g{n}"\ncount = {c}\n' for n, c in enumerate(counts))
    plan = plan_of(text, pillows=wanted)

    assert plan.pillows == wanted or plan.pillows <= 2 * len(counts)
    assert all(count >= 1 for _, count in plan.groups)


def test_people_of_a_file_s_own() -> None:
    """With hours and moods as they are written."""
    visits = [0.0] * 23 + [6.0]
    plan = plan_of(
        f'[[pillows]]\npeople = "us"\n[people.us]\nvisits = {visits}\nmoods = {{ rage = 1 }}\n'
    )
    people = plan.groups[0][0].people

    assert people is not None
    assert (people.visits_an_hour, people.moods) == (tuple(visits), (("rage", 1.0),))


def test_the_documentation_names_every_word() -> None:
    """docs/simulator.md says what each table and key is for."""
    text = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text(encoding="utf-8")
    schema = json_schema()
    words = (
        {word for table in schema["$defs"].values() for word in table.get("properties", ())}
        | set(SUBJECTS)
        | set(PEOPLE)
        | set(shipped())
    )

    assert {word for word in words if f"`{word}`" not in text} == set()
