"""Parses and validates the gateway's frames; the store applies them.

A frame of an unknown type is no error, because a newer gateway may send more types.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from pillowcast.errors import FrameError
from pillowcast.frame_checks import (
    is_bool,
    is_broker,
    is_code,
    is_count,
    is_cursor,
    is_ids,
    is_motion,
    is_number,
    is_state,
    is_states,
    is_text,
    is_time,
    is_window,
)
from pillowcast.pillow_state import State, instant

Broker = Literal["online", "offline"]

_SHOWN_CHARS: Final = 60


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The states, or a piece of them; the first frame of each connection."""

    cursor: str
    recovered: bool
    broker: Broker
    sent: float
    states: tuple[State, ...]
    more: bool = False
    continued: bool = False
    retained: bool = True
    queue_offset: float | None = None
    watching: int | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """States that changed, oldest first."""

    cursor: str
    sent: float
    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """The ids of removed pillows."""

    cursor: str
    pillows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BrokerStatus:
    """Whether the gateway is connected to its broker."""

    broker: Broker
    retained: bool = True


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A sign of life of the gateway."""

    sent: float
    watching: int | None = None


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a ping: its time, and the gateway's."""

    sent: float
    received: float


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The gateway restarts: come back after a delay within this window in ms."""

    reconnect_ms: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the connection is about to be closed."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class Motion:
    """Samples of states, which nobody asks for here."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A type of a newer gateway."""


Frame = (
    Snapshot
    | Changes
    | Removed
    | BrokerStatus
    | Heartbeat
    | Pong
    | Goodbye
    | Refusal
    | Motion
    | Unknown
)


def parse_frame(text: object, on_invalid: Callable[[FrameError], None] | None = None) -> Frame:
    """Parse a message. Raises FrameError if it is no frame, or a field is missing or invalid.

    `on_invalid` is called for each pillow that is invalid, which is left out so that it does not
    hide the others; without it the frame is invalid.
    """
    frame = _parse_object(text)
    kind = frame.get("type")
    if not isinstance(kind, str):
        raise FrameError("a frame has no type")
    required = _FIELDS.get(kind)
    if required is None:
        return Unknown()
    if on_invalid is not None and required.get("pillows") is is_states:
        _leave_out_invalid(frame, on_invalid)
    optional = _OPTIONAL_FIELDS.get(kind, {})
    for name, is_valid in required.items():
        if name not in frame:
            raise FrameError(f"{kind}.{name} is missing")
        if not is_valid(frame[name]):
            raise FrameError(f"{kind}.{name} is wrong: {_shown(frame[name])}")
    for name, is_valid in optional.items():
        if frame.get(name) is not None and not is_valid(frame[name]):
            raise FrameError(f"{kind}.{name} is wrong: {_shown(frame[name])}")
    return _BUILDERS[kind](frame)


def _leave_out_invalid(frame: dict[str, Any], on_invalid: Callable[[FrameError], None]) -> None:
    values = frame.get("pillows")
    if not isinstance(values, list):
        return
    valid = []
    for index, value in enumerate(values):
        if is_state(value):
            valid.append(value)
        else:
            on_invalid(FrameError(f"{frame['type']}.pillows[{index}] is wrong: {_shown(value)}"))
    frame["pillows"] = valid


def _parse_object(text: object) -> dict[str, Any]:
    if not isinstance(text, str):
        raise FrameError("a frame is not text")
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise FrameError(f"not JSON: {text[:_SHOWN_CHARS]}") from None
    if not isinstance(value, dict):
        raise FrameError(f"not an object: {text[:_SHOWN_CHARS]}")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are no JSON


def _shown(value: object) -> str:
    return repr(value)[:_SHOWN_CHARS]


Check = Callable[[Any], bool]

_FIELDS: Final[Mapping[str, Mapping[str, Check]]] = {
    "snapshot": {
        "cursor": is_cursor,
        "recovered": is_bool,
        "broker": is_broker,
        "sent": is_time,
        "pillows": is_states,
    },
    "update": {"cursor": is_cursor, "sent": is_time, "pillows": is_states},
    "removed": {"cursor": is_cursor, "pillows": is_ids},
    "status": {"broker": is_broker},
    "heartbeat": {"sent": is_time},
    "pong": {"sent": is_time, "received": is_time},
    "goodbye": {"reconnect_ms": is_window},
    "error": {"code": is_code, "message": is_text},
    "motion": {"pillows": is_motion},
}
_OPTIONAL_FIELDS: Final[Mapping[str, Mapping[str, Check]]] = {
    "snapshot": {
        "more": is_bool,
        "continued": is_bool,
        "retained": is_bool,
        "queue_offset": is_number,
        "shown": is_number,
        "motion": lambda value: value == "none",
        "watching": is_count,
    },
    "status": {"retained": is_bool},
    "heartbeat": {"queue_offset": is_number, "watching": is_count},
    "pong": {"queue_offset": is_number},
}


def _states(values: list[dict[str, Any]]) -> tuple[State, ...]:
    return tuple(
        State(one["pillow"], one["state"], MappingProxyType(one), instant(one.get("at")))
        for one in values
    )


def _snapshot(frame: dict[str, Any]) -> Snapshot:
    return Snapshot(
        cursor=frame["cursor"],
        recovered=frame["recovered"],
        broker=frame["broker"],
        sent=frame["sent"],
        states=_states(frame["pillows"]),
        more=frame.get("more") is True,
        continued=frame.get("continued") is True,
        retained=frame.get("retained") is not False,
        queue_offset=frame.get("queue_offset"),
        watching=frame.get("watching"),
    )


_BUILDERS: Final[Mapping[str, Callable[[dict[str, Any]], Frame]]] = {
    "snapshot": _snapshot,
    "update": lambda one: Changes(one["cursor"], one["sent"], _states(one["pillows"])),
    "removed": lambda one: Removed(one["cursor"], tuple(one["pillows"])),
    "status": lambda one: BrokerStatus(one["broker"], one.get("retained") is not False),
    "heartbeat": lambda one: Heartbeat(one["sent"], one.get("watching")),
    "pong": lambda one: Pong(one["sent"], one["received"]),
    "goodbye": lambda one: Goodbye((one["reconnect_ms"][0], one["reconnect_ms"][1])),
    "error": lambda one: Refusal(one["code"], one["message"]),
    "motion": lambda _: Motion(),
}
