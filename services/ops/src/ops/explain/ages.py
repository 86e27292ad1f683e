"""Ages in words. Pure."""

from collections.abc import Sequence

from contract.timestamps import parse_timestamp
from runtime.note import Note


def ago(seconds: float) -> str:
    """Return how long ago something was, in one unit."""
    if seconds < 1:
        return "just now"
    for size, unit in ((172_800, "d"), (7200, "h"), (120, "min")):
        if seconds >= size:
            divisor = {"d": 86_400, "h": 3600, "min": 60}[unit]
            return f"{seconds / divisor:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def newest(notes: Sequence[Note]) -> Note | None:
    """Return the note of what happened last; None of none."""
    return max(notes, key=lambda one: one.at_ms, default=None)


def seconds_between(earlier: str, later: str | None) -> float:
    """Return the time between two timestamps as text; 0 if one is none."""
    first, second = parse_timestamp(earlier), parse_timestamp(later or "")
    return 0.0 if first is None or second is None else (second - first) / 1e6
