"""Frame checks: whether a parsed JSON value is what a field of a frame may be. Pure."""

import math
import re
from typing import Any, Final

from pillowcast.pillow_state import is_pillow_id

CURSOR: Final = re.compile(r"[^\s:]+:[0-9]+")


def is_number(value: object) -> bool:
    """Return whether a value is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def is_time(value: Any) -> bool:
    """Return whether a value is a time in ms."""
    return is_number(value) and bool(value >= 0)


def is_count(value: object) -> bool:
    """Return whether a value is a number of things."""
    return type(value) is int and value >= 0


def is_cursor(value: object) -> bool:
    """Return whether a value is a cursor."""
    return isinstance(value, str) and CURSOR.fullmatch(value) is not None


def is_broker(value: object) -> bool:
    """Return whether a value is a status of the broker."""
    return value == "online" or value == "offline"


def is_bool(value: object) -> bool:
    """Return whether a value is true or false."""
    return isinstance(value, bool)


def is_code(value: object) -> bool:
    """Return whether a value is a close code."""
    return type(value) is int and 1000 <= value <= 4999


def is_text(value: object) -> bool:
    """Return whether a value is a text."""
    return isinstance(value, str)


def is_state(value: object) -> bool:
    """Return whether a value is a state."""
    if not isinstance(value, dict) or not is_pillow_id(value.get("pillow")):
        return False
    state = value.get("state")
    return isinstance(state, str) and state != ""


def is_states(value: object) -> bool:
    """Return whether a value is a list of states."""
    return isinstance(value, list) and all(map(is_state, value))


def is_ids(value: object) -> bool:
    """Return whether a value is a list of ids."""
    return isinstance(value, list) and all(map(is_pillow_id, value))


def is_samples(value: object) -> bool:
    """Return whether a value is the samples of a state."""
    return (
        isinstance(value, dict)
        and is_pillow_id(value.get("pillow"))
        and isinstance(value.get("at"), str)
        and isinstance(value.get("motion"), list)
    )


def is_motion(value: object) -> bool:
    """Return whether a value is a list of samples of states."""
    return isinstance(value, list) and all(map(is_samples, value))


def is_window(value: object) -> bool:
    """Return whether a value is a range of times in ms."""
    is_pair = isinstance(value, list) and len(value) == 2 and all(map(is_time, value))
    return is_pair and value[0] <= value[1]  # type: ignore[index]
