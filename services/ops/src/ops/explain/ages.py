"""Ages in words. Pure."""

from contract.timestamps import parse_timestamp


def ago(seconds: float) -> str:
    """Return how long ago something was, in one unit."""
    if seconds < 1:
        return "just now"
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def seconds_between(earlier: str, later: str | None) -> float:
    """Return the time between two timestamps as text; 0 if one is none."""
    first, second = parse_timestamp(earlier), parse_timestamp(later or "")
    return 0.0 if first is None or second is None else (second - first) / 1e6
