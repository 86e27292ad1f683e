"""The types of a scenario file's values, and the base class of its tables."""

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from contract.states import STATES
from simulator.model.gestures import GESTURES
from simulator.model.visitors import MOODS
from simulator.scenario.literals import (
    DURATION,
    INTERVAL,
    RANGE,
    SELECTOR,
    SPAN,
    TIME_OF_DAY,
)

Duration = Annotated[str, Meta(pattern=f"^{DURATION}$", examples=["500ms", "2.5s", "-1h30m"])]
Span = Annotated[str, Meta(pattern=f"^{SPAN}$", examples=["500ms", "2.5s", "1h30m"])]
Interval = Annotated[str, Meta(pattern=f"^{INTERVAL}$", examples=["500ms", "2.5s", "1h30m"])]
Range = Annotated[str, Meta(pattern=f"^{RANGE}$", examples=["5s", "1s..5s"])]
TimeOfDay = Annotated[str, Meta(pattern=f"^{TIME_OF_DAY}$", examples=["07:30"])]
Selector = Annotated[
    str,
    Meta(
        pattern=f"^({SELECTOR})$",
        examples=["cloud-1", "cloud-2..5", "cloud-*", "cloud-1, attic-*", "*"],
    ),
]
SelectorOrId = Annotated[
    str, Meta(pattern=f"^({SELECTOR}|[a-z0-9][a-z0-9-]*)$", examples=["cloud-1", "*"])
]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Natural = Annotated[int, Meta(ge=0)]
Name = Annotated[
    str, Meta(pattern="^[a-z0-9]([a-z0-9-]{0,53}[a-z0-9])?$", examples=["cloud", "attic-west"])
]
if TYPE_CHECKING:
    GestureName = str
    StateName = str
    MoodName = str
else:
    # The names are defined in the model; a second list here could differ from it.
    GestureName = Literal[tuple(GESTURES)]
    StateName = Literal[tuple(STATES)]
    MoodName = Literal[tuple(MOODS)]

FaultKind = Literal[
    "duplicate", "reorder", "delay", "loss", "burst", "stale", "future", "malformed", "oversize",
    "encoding", "unknown-state", "bad-id", "bad-field", "legacy", "extra", "disconnect",
]  # fmt: skip

Reason = Literal[
    "not-text", "too-large", "malformed", "unknown-state", "bad-id", "bad-field",
    "too-many-attempts",
]  # fmt: skip


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """A table of the file: no other keys than its fields, which have hyphens for underscores."""
