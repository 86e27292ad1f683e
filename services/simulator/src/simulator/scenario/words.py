"""The small words of a scenario file: durations, ranges, hours and names of pillows."""

import re
from typing import Final

DURATION: Final = r"-?(\d+(\.\d+)?(ms|s|m|h|d))+"
RANGE: Final = rf"{DURATION}(\.\.{DURATION})?"
HOUR: Final = r"([01]\d|2[0-3]):[0-5]\d"
_ONE: Final = r"(\*|[a-z0-9][a-z0-9-]*-(\*|[1-9]\d*(\.\.[1-9]\d*)?))"
WHO: Final = rf"{_ONE}( *, *{_ONE})*"

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_WHO: Final = re.compile(r"(?P<name>.+)-(?:(?P<all>\*)|(?P<low>\d+)(?:\.\.(?P<high>\d+))?)")


def seconds(text: str) -> float:
    """Read a duration like `1h30m`, `2.5s` or `-10m`, of the form DURATION."""
    total = 0.0
    for number, unit in _PART.findall(text):
        total += float(number) * _UNITS[unit]
    total = round(total, 3)
    return -total if text.startswith("-") else total


def span(text: str) -> tuple[float, float]:
    """Read a range like `1s..5s`, of the form RANGE; a single duration is both ends."""
    low, _, high = text.partition("..")
    return seconds(low), seconds(high or low)


def hours(text: str) -> float:
    """Read an hour of the day like `07:30`, of the form HOUR."""
    return int(text[:2]) + int(text[3:]) / 60


def numbers(who: str, name: str, count: int) -> frozenset[int] | None:
    """Return which pillows of a group are meant, by number; None for all of them.

    `who` is of the form WHO; `name` and `count` are the group's.
    """
    found: set[int] = set()
    for one in map(str.strip, who.split(",")):
        if one == "*":
            return None
        match = _WHO.fullmatch(one)
        if match is None or match["name"] != name:
            continue
        if match["all"]:
            return None
        low = int(match["low"])
        found.update(range(low, min(count, int(match["high"] or low)) + 1))
    return frozenset(one for one in found if one <= count)
