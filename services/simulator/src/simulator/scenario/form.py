"""What a scenario file may say: the form of its tables, from which its JSON Schema is made."""

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from contract.states import STATES
from simulator.model.gestures import GESTURES
from simulator.model.people import MOODS, PEOPLE
from simulator.scenario.words import DURATION, HOUR, RANGE, WHO

Duration = Annotated[str, Meta(pattern=f"^{DURATION}$", examples=["500ms", "2.5s", "1h30m"])]
Range = Annotated[str, Meta(pattern=f"^{RANGE}$", examples=["5s", "1s..5s"])]
Hour = Annotated[str, Meta(pattern=f"^{HOUR}$", examples=["07:30"])]
Who = Annotated[
    str,
    Meta(
        pattern=f"^({WHO})$", examples=["cloud-1", "cloud-2..5", "cloud-*", "cloud-1, attic-*", "*"]
    ),
]
Share = Annotated[float, Meta(ge=0, le=1)]
Whole = Annotated[int, Meta(ge=0)]
Name = Annotated[
    str, Meta(pattern="^[a-z0-9]([a-z0-9-]{0,53}[a-z0-9])?$", examples=["cloud", "attic-west"])
]
if TYPE_CHECKING:
    GestureName = str
    StateName = str
    MoodName = str
else:
    # What there is, is declared where it is; a list of its own here would be one too many.
    GestureName = Literal[tuple(GESTURES)]
    StateName = Literal[tuple(STATES)]
    MoodName = Literal[tuple(MOODS)]

FaultKind = Literal[
    "duplicate", "reorder", "delay", "loss", "burst", "stale", "future", "malformed", "oversize",
    "encoding", "unknown-state", "bad-id", "bad-field", "legacy", "extra", "disconnect",
]  # fmt: skip

REASONS: Final = (
    "not-text", "too-large", "malformed", "unknown-state", "bad-id", "bad-field",
    "too-many-attempts",
)  # fmt: skip


class _Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    pass


class Wifi(_Table, frozen=True):
    """A group's radio."""

    loss: Annotated[Share, Meta(description="Which share of reports is lost.")] = 0.0
    drops_every: Annotated[
        Duration | UnsetType, Meta(description="How often, on average, the network goes away.")
    ] = UNSET
    away: Annotated[Range, Meta(description="For how long.")] = "5s..20s"


class Group(_Table, frozen=True):
    """Pillows that are alike."""

    name: Annotated[Name, Meta(description="The ids are NAME-1, NAME-2 and so on.")] = "cloud"
    count: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000)], Meta(description="How many there are.")
    ] = 1
    every: Annotated[Duration, Meta(description="How often each reports.")] = "1s"
    people: Annotated[
        str,
        Meta(
            description=f"Who comes to them: {', '.join(PEOPLE)}, or a name from this file's "
            "[people.NAME]."
        ),
    ] = "nobody"
    first_visit: Annotated[
        Range | UnsetType,
        Meta(description="When somebody comes for the first time; else by the hour."),
    ] = UNSET
    speaks: Annotated[
        Literal["json", "base64", "word", "tuple"],
        Meta(
            description="Its firmware's dialect: the normal form, that in Base64, a bare word, or "
            "the text of a Python tuple; the last two carry no id."
        ),
    ] = "json"
    fields: Annotated[
        dict[str, Any], Meta(description="More fields in each report, as they are.")
    ] = field(default_factory=dict)
    motion: Annotated[
        Literal["moving", "always", "never"],
        Meta(description="When a report carries its samples."),
    ] = "moving"
    sample_hz: Annotated[
        Literal[25, 50, 100], Meta(description="Samples a second of the accelerometer.")
    ] = 25
    clock: Annotated[
        Duration, Meta(description="How far their clocks are ahead, or behind with a minus.")
    ] = "0s"
    battery: Annotated[
        Share | UnsetType, Meta(description="How full it is at the start; else anything.")
    ] = UNSET
    battery_lasts: Annotated[Duration, Meta(description="How long a full battery lasts.")] = "5h30m"
    wifi: Annotated[Wifi, Meta(description="Its radio, perfect unless told.")] = Wifi()


class Cue(_Table, frozen=True):
    """A gesture at a time, beside or instead of what people do."""

    gesture: Annotated[GestureName, Meta(description="Which: " + ", ".join(GESTURES) + ".")]
    at: Annotated[Duration, Meta(description="When, from the start.")]
    pillows: Annotated[Who, Meta(description="Whose.")] = "*"
    spread: Annotated[
        Duration, Meta(description="Each pillow begins somewhere within so long after that.")
    ] = "0s"
    lasts: Annotated[
        Range | UnsetType, Meta(description="How long; a throw takes what its flight takes.")
    ] = UNSET
    every: Annotated[Duration | UnsetType, Meta(description="Again and again, so far apart.")] = (
        UNSET
    )
    times: Annotated[
        Annotated[int, Meta(ge=1)] | UnsetType,
        Meta(description="How often in all; without end unless told."),
    ] = UNSET


class Fault(_Table, frozen=True):
    """Something that goes wrong, at a rate, for some pillows, for some time."""

    kind: Annotated[FaultKind, Meta(description="What; see the list of faults.")]
    rate: Annotated[Share, Meta(description="In which share of cases.")] = 1.0
    pillows: Annotated[Who, Meta(description="Whose.")] = "*"
    from_: Annotated[Duration, Meta(description="From when.")] = field(name="from", default="0s")
    until: Annotated[Duration | UnsetType, Meta(description="Until when.")] = UNSET
    by: Annotated[
        Range | UnsetType,
        Meta(
            description="How late a duplicate or delay is, how far a clock is off, or how long a "
            "disconnected pillow is away."
        ),
    ] = UNSET
    times: Annotated[
        Annotated[int, Meta(ge=1, le=100)], Meta(description="How many more duplicates.")
    ] = 1
    every: Annotated[
        Duration | UnsetType,
        Meta(description="How long a burst gathers (10s), or how far storms are apart (once)."),
    ] = UNSET


class Bounds(_Table, frozen=True):
    """A number that is not to be exact."""

    at_least: Whole = 0
    at_most: Whole | UnsetType = UNSET


Count = Whole | Literal["as sent"] | Bounds


class Expect(_Table, frozen=True):
    """Something that `simulator check` is to see in the live system. One subject each."""

    state: Annotated[
        StateName | UnsetType, Meta(description="The pillows were seen in this state.")
    ] = UNSET
    availability: Annotated[
        Literal["online", "offline"] | UnsetType,
        Meta(description="The pillows were seen to be so, over MQTT."),
    ] = UNSET
    pillows: Annotated[
        Annotated[str, Meta(pattern=f"^({WHO}|[a-z0-9][a-z0-9-]*)$", examples=["cloud-1", "*"])],
        Meta(description="Whose state, availability or newest it is; also an id of no group."),
    ] = "*"
    from_: Annotated[Duration, Meta(description="Seen from then on.")] = field(
        name="from", default="0s"
    )
    by: Annotated[Duration | UnsetType, Meta(description="And by then; else by the end.")] = UNSET
    seen: Annotated[Count | UnsetType, Meta(description="So many pillows were seen.")] = UNSET
    states: Annotated[Count | UnsetType, Meta(description="So many states arrived.")] = UNSET
    sent: Annotated[Count | UnsetType, Meta(description="So many messages were sent.")] = UNSET
    faults: Annotated[
        dict[FaultKind, Count] | UnsetType,
        Meta(description="So many faults of each kind were made."),
    ] = UNSET
    poison: Annotated[Count | UnsetType, Meta(description="So many dead letters came of it.")] = (
        UNSET
    )
    reason: Annotated[
        Literal[REASONS] | UnsetType,  # type: ignore[valid-type]
        Meta(description="Dead letters of this reason only."),
    ] = UNSET
    newest: Annotated[
        Literal[True] | UnsetType,
        Meta(
            description="At the end the broker holds each pillow's newest state, and none ever "
            "went backwards."
        ),
    ] = UNSET


SUBJECTS: Final = (
    "state", "availability", "seen", "states", "sent", "faults", "poison", "newest",
)  # fmt: skip


class Circle(_Table, frozen=True):
    """People of your own, for a group's `people`."""

    visits: Annotated[
        Annotated[list[Annotated[float, Meta(ge=0, le=1000)]], Meta(min_length=24, max_length=24)],
        Meta(description="Visits an hour, for each of the 24 hours from midnight."),
    ]
    moods: Annotated[
        dict[MoodName, Annotated[float, Meta(gt=0)]],
        Meta(description=f"How likely each mood is: {', '.join(MOODS)}."),
    ]


class Scenario(_Table, frozen=True):
    """A Pillowcast scenario."""

    about: Annotated[str, Meta(description="One sentence, for `simulator list`.")]
    pillows: Annotated[
        Annotated[list[Group], Meta(min_length=1)], Meta(description="Who there is.")
    ]
    lasts: Annotated[
        Duration | UnsetType, Meta(description="How long; without end unless told.")
    ] = UNSET
    hour: Annotated[
        Hour | UnsetType,
        Meta(description="The hour of the day at the start; else drawn, from 7 to 19."),
    ] = UNSET
    seed: Annotated[
        Annotated[int, Meta(ge=0, le=2**63 - 1)] | UnsetType,
        Meta(description="What decides everything; else drawn and said."),
    ] = UNSET
    speed: Annotated[
        Annotated[float, Meta(gt=0)] | Literal["max"] | UnsetType,
        Meta(description="How much faster than time it runs: a number, or max."),
    ] = UNSET
    target: Annotated[
        Literal["queue", "mqtt"] | UnsetType,
        Meta(description="Where it goes unless --target or SIMULATOR_TARGET says otherwise."),
    ] = UNSET
    gestures: Annotated[list[Cue], Meta(description="What happens when.")] = field(
        default_factory=list
    )
    faults: Annotated[list[Fault], Meta(description="What goes wrong.")] = field(
        default_factory=list
    )
    expect: Annotated[list[Expect], Meta(description="What `simulator check` is to see.")] = field(
        default_factory=list
    )
    people: Annotated[
        dict[str, Circle], Meta(description="People of this file's own, by name.")
    ] = field(default_factory=dict)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file, for editors and for `docs/`."""
    schema = msgspec.json.schema(Scenario)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Pillowcast scenario",
        **schema,
    }
