"""The bodies of HTTP responses as types, for the published schemas."""

from typing import Annotated, Literal

import msgspec

from contract.frames import BrokerStatus, Retained
from contract.wire_types import CursorText, Label, PillowId, ReceivedPillow, Timestamp, described


class Problem(msgspec.Struct, frozen=True):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: Annotated[int, described("The status of the response.", minimum=400, maximum=599)]
    detail: Annotated[str, described("A sentence for people.")]


class PillowList(msgspec.Struct, frozen=True):
    """Every pillow that is known now, and the cursor from which a stream goes on."""

    cursor: CursorText
    broker: BrokerStatus
    pillows: list[ReceivedPillow]
    retained: Retained = msgspec.UNSET


PastSource = Annotated[
    Literal["recorder", "memory"],
    described("The recorder's database, or the memory of the gateway that answers."),
]


class PillowHistory(msgspec.Struct, frozen=True, omit_defaults=True):
    """The past states of one pillow, oldest first, or a page of them."""

    pillow: PillowId
    states: list[ReceivedPillow]
    source: PastSource | msgspec.UnsetType = msgspec.UNSET
    next: (
        Annotated[str, described("The query of the next page; the last page has none.")]
        | msgspec.UnsetType
    ) = msgspec.UNSET


Seconds = Annotated[float, described("Seconds.", minimum=0)]


class StateTotal(msgspec.Struct, frozen=True):
    """What a day had of one state. An episode counts on the day on which it began."""

    episodes: int = 0
    seconds: Annotated[Seconds, described("The time of this day.")] = 0.0
    longest: Annotated[Seconds, described("The longest episode that began on this day.")] = 0.0


class DaySummary(msgspec.Struct, frozen=True, rename={"began": "from", "ended": "to"}):
    """A day of a time zone, as far as it has passed."""

    date: Annotated[str, described("The day in its time zone.", format="date")]
    began: Timestamp
    ended: Timestamp
    states: dict[str, StateTotal]
    asleep: Annotated[
        Seconds, described("The time in which somebody listened and the pillow said nothing.")
    ]
    unheard: Annotated[
        list[tuple[Timestamp, Timestamp]],
        described("From when until when nobody listened, the oldest first."),
    ]


class PillowSummary(msgspec.Struct, frozen=True):
    """What the last days of a pillow had, the oldest first."""

    pillow: PillowId
    tz: Annotated[str, described("The time zone of the days.", examples=["Europe/Berlin"])]
    source: PastSource
    days: list[DaySummary]


class ActivityStep(msgspec.Struct, frozen=True):
    """A step of a time, as far as it has passed. States that it had nothing of are not named."""

    at: Annotated[Timestamp, msgspec.Meta(description="When it begins.")]
    seconds: Annotated[dict[str, Seconds], described("The time in each state.")]
    episodes: Annotated[
        dict[str, int], described("How many episodes of each state began in the step.")
    ]
    asleep_s: Annotated[
        Seconds, described("The time in which somebody listened and the pillow said nothing.")
    ]
    unheard_s: Annotated[
        Seconds, described("The time in which nobody listened, and no episode tells what was.")
    ]


class PillowActivity(msgspec.Struct, frozen=True, rename={"began": "from", "ended": "to"}):
    """What a pillow did in each step of a time, the oldest first."""

    pillow: PillowId
    began: Timestamp
    ended: Annotated[Timestamp, msgspec.Meta(description="At most the present.")]
    step_s: Annotated[int, described("The length of a step in seconds; the last may be shorter.")]
    source: PastSource
    steps: list[ActivityStep]


class PillowHugs(msgspec.Struct, frozen=True):
    """The hugs of a pillow on one day."""

    hugs: Annotated[int, described("How many began on this day.", minimum=0)]
    last_hug: Annotated[
        Timestamp, msgspec.Meta(description="When the last one ended, or was last reported.")
    ]
    longest_hug_s: Annotated[Seconds, described("The longest that began on this day, to its end.")]


class Today(msgspec.Struct, frozen=True, omit_defaults=True, rename={"ended": "to"}):
    """The hugs of the present day of a time zone. A pillow without a hug is not named."""

    day: Annotated[str, described("The day in its time zone.", format="date")]
    tz: Annotated[str, described("The time zone of the day.", examples=["Europe/Berlin"])]
    ended: Annotated[
        Timestamp, msgspec.Meta(description="Until when hugs count that have begun; seconds ago.")
    ]
    source: PastSource
    pillows: dict[str, PillowHugs]
    since: Annotated[
        Timestamp | None,
        msgspec.Meta(description="From when on hugs count, where memory has not the whole day."),
    ] = None


class Labels(msgspec.Struct, frozen=True):
    """The names that people gave to pillows, by the pillow's id."""

    labels: Annotated[dict[str, Label], described("Those of the file GATEWAY_LABELS_FILE.")]


class Readiness(msgspec.Struct, frozen=True):
    """Whether a service is ready, and each of its dependencies by name."""

    ready: bool
    dependencies: Annotated[
        dict[str, str],
        described("`ok`, `ok; ` and what it cannot do, or a sentence that describes the error."),
    ]
