"""The schema of a scenario file: its tables and their keys.

msgspec checks keys, types and patterns, and reports an error with its path. The JSON Schema for
editors is generated from these classes.
"""

from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType, field

from simulator.model.gestures import GESTURES
from simulator.model.visitors import MOODS, VISITOR_PROFILES
from simulator.scenario.schema_types import (
    Duration,
    FaultKind,
    Fraction,
    GestureName,
    Interval,
    MoodName,
    Name,
    Natural,
    Range,
    Reason,
    Selector,
    SelectorOrId,
    Span,
    StateName,
    Table,
    TimeOfDay,
)


class Wifi(Table, frozen=True):
    """A group's Wi-Fi."""

    loss: Annotated[Fraction, Meta(description="Share of reports that are lost.")] = 0.0
    drops_every: Annotated[
        Interval | UnsetType, Meta(description="Mean time between two outages; else no outages.")
    ] = UNSET
    away: Annotated[Range, Meta(description="Length of an outage.")] = "5s..20s"


class Group(Table, frozen=True):
    """Pillows with the same configuration."""

    name: Annotated[Name, Meta(description="The ids are NAME-1, NAME-2 and so on.")] = "cloud"
    count: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000)], Meta(description="Number of pillows.")
    ] = 1
    every: Annotated[Interval, Meta(description="Interval between two reports of a pillow.")] = "1s"
    people: Annotated[
        str,
        Meta(
            description=f"Who visits them: {', '.join(VISITOR_PROFILES)}, or a name from this "
            "file's [people.NAME]."
        ),
    ] = "nobody"
    first_visit: Annotated[
        Range | UnsetType,
        Meta(description="When the first visit begins; else it depends on the hour."),
    ] = UNSET
    speaks: Annotated[
        Literal["json", "base64", "word", "tuple"],
        Meta(
            description="The firmware's dialect: JSON, JSON in Base64, a bare word, or the text of "
            "a Python tuple. A word and a tuple contain no id."
        ),
    ] = "json"
    fields: Annotated[
        dict[str, Any], Meta(description="Additional fields of each report, sent unchanged.")
    ] = field(default_factory=dict)
    motion: Annotated[
        Literal["moving", "always", "never"],
        Meta(description="When a report contains its samples."),
    ] = "moving"
    sample_hz: Annotated[
        Literal[25, 50, 100], Meta(description="The accelerometer's samples per second.")
    ] = 25
    clock: Annotated[
        Duration, Meta(description="How far the clocks are ahead; with a minus, behind.")
    ] = "0s"
    battery: Annotated[
        Fraction | UnsetType, Meta(description="Charge at the start; else random.")
    ] = UNSET
    battery_lasts: Annotated[Interval, Meta(description="Run time of a full battery.")] = "5h30m"
    wifi: Annotated[Wifi, Meta(description="The Wi-Fi; without outages and losses if absent.")] = (
        Wifi()
    )


class Gesture(Table, frozen=True):
    """A gesture at a given time, in addition to those of visitors or without any."""

    gesture: Annotated[GestureName, Meta(description="One of " + ", ".join(GESTURES) + ".")]
    at: Annotated[Span, Meta(description="When it begins, from the start.")]
    pillows: Annotated[Selector, Meta(description="Which pillows.")] = "*"
    spread: Annotated[
        Span, Meta(description="Each pillow's gesture begins at random up to this much later.")
    ] = "0s"
    lasts: Annotated[
        Range | UnsetType, Meta(description="How long it lasts; a throw lasts as its flight does.")
    ] = UNSET
    every: Annotated[
        Interval | UnsetType, Meta(description="Interval of repetitions; else once.")
    ] = UNSET
    times: Annotated[
        Annotated[int, Meta(ge=1)] | UnsetType,
        Meta(description="Number of repetitions in all; else without end."),
    ] = UNSET


class Fault(Table, frozen=True):
    """A fault with a rate, a time span and a selection of pillows."""

    kind: Annotated[FaultKind, Meta(description="Which fault.")]
    rate: Annotated[Fraction, Meta(description="Share of cases in which it occurs.")] = 1.0
    pillows: Annotated[Selector, Meta(description="Which pillows.")] = "*"
    from_: Annotated[Span, Meta(description="When it begins to occur.")] = field(
        name="from", default="0s"
    )
    until: Annotated[Span | UnsetType, Meta(description="When it ceases to occur.")] = UNSET
    by: Annotated[
        Range | UnsetType,
        Meta(
            description="How late a duplicate or a delayed message is, how wrong a clock is, or "
            "how long a disconnected pillow stays away."
        ),
    ] = UNSET
    times: Annotated[
        Annotated[int, Meta(ge=1, le=100)], Meta(description="Number of additional duplicates.")
    ] = 1
    every: Annotated[
        Interval | UnsetType,
        Meta(
            description="How long a burst collects (else 10s), or the interval of disconnects "
            "(else once)."
        ),
    ] = UNSET


class Bounds(Table, frozen=True):
    """A count that may vary."""

    at_least: Natural = 0
    at_most: Natural | UnsetType = UNSET


Count = Natural | Literal["as sent"] | Bounds


class Expect(Table, frozen=True):
    """An expectation of `simulator check`; it has one subject."""

    state: Annotated[
        StateName | UnsetType, Meta(description="Each pillow was seen in this state.")
    ] = UNSET
    availability: Annotated[
        Literal["online", "offline"] | UnsetType,
        Meta(description="Each pillow had this availability on MQTT."),
    ] = UNSET
    pillows: Annotated[
        SelectorOrId,
        Meta(description="The pillows of state, availability, seen or newest; or any one id."),
    ] = "*"
    from_: Annotated[Span, Meta(description="Not seen before this time.")] = field(
        name="from", default="0s"
    )
    by: Annotated[
        Span | UnsetType, Meta(description="Seen at this time at the latest; else by the end.")
    ] = UNSET
    seen: Annotated[Count | UnsetType, Meta(description="Number of pillows seen.")] = UNSET
    states: Annotated[Count | UnsetType, Meta(description="Number of states received.")] = UNSET
    sent: Annotated[Count | UnsetType, Meta(description="Number of messages sent.")] = UNSET
    faults: Annotated[
        dict[FaultKind, Count] | UnsetType,
        Meta(
            description="Number of injected faults of each kind.",
            extra_json_schema={"propertyNames": {"enum": list(get_args(FaultKind))}},
        ),
    ] = UNSET
    poison: Annotated[Count | UnsetType, Meta(description="Number of dead letters.")] = UNSET
    reason: Annotated[
        Reason | UnsetType, Meta(description="Count only dead letters with this reason.")
    ] = UNSET
    newest: Annotated[
        Literal[True] | UnsetType,
        Meta(
            description="At the end the broker holds each pillow's newest state, and no state "
            "replaced a newer one."
        ),
    ] = UNSET


class People(Table, frozen=True):
    """A profile of visitors, for a group's `people`."""

    visits: Annotated[
        Annotated[list[Annotated[float, Meta(ge=0, le=1000)]], Meta(min_length=24, max_length=24)],
        Meta(description="Visits an hour, for each of the 24 hours from midnight."),
    ]
    moods: Annotated[
        dict[MoodName, Annotated[float, Meta(gt=0)]],
        Meta(
            description=f"Weights of the visitors' moods: {', '.join(MOODS)}.",
            extra_json_schema={"propertyNames": {"enum": list(MOODS)}},
        ),
    ]


class Scenario(Table, frozen=True):
    """A Pillowcast scenario."""

    about: Annotated[str, Meta(description="One sentence, for `simulator list`.")]
    pillows: Annotated[
        Annotated[list[Group], Meta(min_length=1)], Meta(description="The groups of pillows.")
    ]
    lasts: Annotated[
        Interval | UnsetType, Meta(description="How long it runs; else without end.")
    ] = UNSET
    hour: Annotated[
        TimeOfDay | UnsetType,
        Meta(description="Time of day at the start; else random, from 7 to 19."),
    ] = UNSET
    seed: Annotated[
        Annotated[int, Meta(ge=0, le=2**63 - 1)] | UnsetType,
        Meta(description="Determines every random choice; else random, and printed."),
    ] = UNSET
    speed: Annotated[
        Annotated[float, Meta(gt=0)] | Literal["max"] | UnsetType,
        Meta(description="How many times as fast as real time it runs: a number, or max."),
    ] = UNSET
    target: Annotated[
        Literal["queue", "mqtt"] | UnsetType,
        Meta(description="The target where neither --target nor SIMULATOR_TARGET is given."),
    ] = UNSET
    gestures: Annotated[list[Gesture], Meta(description="Scheduled gestures.")] = field(
        default_factory=list
    )
    faults: Annotated[list[Fault], Meta(description="Injected faults.")] = field(
        default_factory=list
    )
    expect: Annotated[list[Expect], Meta(description="Expectations of `simulator check`.")] = field(
        default_factory=list
    )
    people: Annotated[
        dict[str, People], Meta(description="Profiles of visitors of this file, by name.")
    ] = field(default_factory=dict)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Pillowcast scenario",
        **msgspec.json.schema(Scenario),
    }
