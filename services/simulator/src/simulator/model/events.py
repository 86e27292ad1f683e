"""What a pillow produces: reports and changes of its network."""

from dataclasses import dataclass
from typing import Final, Literal

from simulator.model.config import GroupConfig
from simulator.model.vectors import Vector

AT_REST: Final = "neutral"
"""The state of a pillow that nobody touches."""


@dataclass(slots=True)
class Report:
    """One report, due `due_s` seconds after the start; `seq` counts from 0.

    `fate` is "lost" for a report lost on the air and "unsent" for one that was not sent because
    there was no network. Neither has any content.
    """

    due_s: float
    group: GroupConfig
    number: int
    seq: int = 0
    state: str = AT_REST
    confidence: float = 0.0
    battery: float = 0.0
    motion: tuple[Vector, ...] = ()
    fate: Literal["", "lost", "unsent"] = ""


@dataclass(slots=True)
class NetworkChange:
    """A pillow's network became available (`is_up`) or unavailable."""

    due_s: float
    group: GroupConfig
    number: int
    is_up: bool


Event = Report | NetworkChange
