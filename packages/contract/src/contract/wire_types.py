"""Types of values on the wire, as the published schemas describe them.

The constraints are for readers of a schema: no decoder checks them, because the checks of the
contract have messages of their own.
"""

from typing import Annotated, Any, Final

import msgspec

from contract.json_limits import MAX_SEQ
from contract.states import STATES


def described(description: str, **keywords: Any) -> msgspec.Meta:
    """Return an annotation with a description and keywords of JSON Schema, which checks nothing."""
    return msgspec.Meta(description=description, extra_json_schema=keywords)


PillowId = Annotated[
    str,
    described(
        "A pillow's id.",
        pattern="^[a-z0-9][a-z0-9-]{0,62}$",
        **{"not": {"const": "bridge"}},
        examples=["cloud-1"],
    ),
]
_ANY_CASE: Final = "|".join(
    "".join(f"[{letter}{letter.upper()}]" for letter in word)
    for name, style in STATES.items()
    for word in (name, *style.aliases)
)
AcceptedState = Annotated[
    str,
    described("A state or an alias, in any letter case.", pattern=f"^({_ANY_CASE})$"),
]
StateName = Annotated[str, described("A state of the contract.", enum=list(STATES))]
Timestamp = Annotated[
    str,
    described(
        "An RFC 3339 date-time with an offset.",
        format="date-time",
        examples=["2025-11-22T06:00:00.123Z"],
    ),
]
AcceptedTimestamp = Annotated[
    str,
    described(
        "An RFC 3339 date-time with an offset. A blank is accepted for the T, and `+0100` as an "
        "offset.",
        pattern="^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt ]"
        "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-][0-9]{2}:?[0-9]{2})$",
        examples=["2025-11-22T06:00:00.123Z"],
    ),
]
"""A time that a pillow wrote; `Timestamp` is one that a service wrote."""
UnixMs = Annotated[int, described("Unix milliseconds.", minimum=0, maximum=MAX_SEQ)]
SeqNumber = Annotated[int, described("Orders states of equal `at`.", minimum=0, maximum=MAX_SEQ)]
CursorText = Annotated[
    str,
    described(
        "A position in the stream of one gateway process. To resume, send it back unchanged; "
        "nothing else can be done with it.",
        pattern="^[a-z0-9]{1,32}:[0-9]{1,18}$",
        examples=["k3f9:118"],
    ),
]
Fraction = Annotated[
    float, described("A number from 0 to 1.", minimum=0, maximum=1, examples=[0.93])
]
Samples = Annotated[
    list[tuple[float, float, float]],
    described(
        "Accelerometer samples `[x, y, z]` in g, oldest first.", examples=[[[0.01, -0.98, 0.12]]]
    ),
]
MAX_LABEL_CHARACTERS: Final = 80
"""The longest name of a pillow that is shown."""

Label = Annotated[
    str,
    described(
        "A name that people gave to the pillow; it is shown beside the id. Control characters are "
        "not shown, an empty name is ignored, and of a longer one the beginning is shown.",
        minLength=1,
        maxLength=MAX_LABEL_CHARACTERS,
        examples=["Grandma's cloud"],
    ),
]
ClientCount = Annotated[int, described("How many clients this gateway has now.", minimum=0)]
SentMs = Annotated[
    int, described("When the frame was sent: the gateway's clock in Unix ms.", minimum=0)
]
AnsweredMs = Annotated[
    int, described("When the ping arrived: the gateway's clock in Unix ms.", minimum=0)
]
OffsetMs = Annotated[
    int,
    described(
        "Milliseconds to add to the gateway's clock in the same frame to get the queue's time; "
        "absent while that is unknown."
    ),
]
NotRetained = Annotated[
    bool,
    described(
        "False where the broker does not deliver the states that it retains, so that a pillow is "
        "unknown until it reports; absent where it does.",
        const=False,
    ),
]
PingNumber = Annotated[int | float, described("Any number; the pong returns it unchanged.")]
ReceivedPillow = Annotated[
    dict[str, Any], msgspec.Meta(extra_json_schema={"$ref": "#/components/schemas/ReceivedState"})
]
"""A state in a frame, byte for byte as on MQTT: `pillow`, `state`, `at`, and any other field."""
