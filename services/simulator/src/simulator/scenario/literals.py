"""The literals of a scenario file: durations, ranges, times of day and selectors of pillows.

The patterns are those of the schema; the parsers expect text that matches them.
"""

import re
from typing import Final

_DURATION: Final = r"(\d+(\.\d+)?(ms|s|m|h|d))+"
DURATION: Final = f"-?{_DURATION}"
"""A duration, which may be negative."""

SPAN: Final = _DURATION
"""A duration that is not negative."""

INTERVAL: Final = f"(?=[^1-9]*[1-9]){_DURATION}"
"""A duration above zero: it contains a digit that is not 0."""

RANGE: Final = rf"{_DURATION}(\.\.{_DURATION})?"
TIME_OF_DAY: Final = r"([01]\d|2[0-3]):[0-5]\d"
_PILLOWS: Final = r"(\*|[a-z0-9][a-z0-9-]*-(\*|[1-9]\d*(\.\.[1-9]\d*)?))"
SELECTOR: Final = rf"{_PILLOWS}( *, *{_PILLOWS})*"

_UNITS_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_GROUP: Final = re.compile(r"(?P<name>.+)-(?:(?P<all>\*)|(?P<low>\d+)(?:\.\.(?P<high>\d+))?)")


def parse_duration(text: str) -> float:
    """Return the seconds of a duration like `1h30m`, `2.5s` or `-10m`, in whole milliseconds."""
    total = 0.0
    for number, unit in _PART.findall(text):
        total += float(number) * _UNITS_S[unit]
    # A duration above zero stays above zero, because intervals are divided by.
    total = max(0.001, round(total, 3)) if total > 0 else 0.0
    return -total if text.startswith("-") else total


def parse_range(text: str) -> tuple[float, float]:
    """Return both ends in seconds of a range like `1s..5s`; those of a duration are equal."""
    low, _, high = text.partition("..")
    return parse_duration(low), parse_duration(high or low)


def parse_time_of_day(text: str) -> float:
    """Return the hours of a time of day like `07:30`."""
    return int(text[:2]) + int(text[3:]) / 60


def select_numbers(selector: str, group: str, count: int) -> frozenset[int] | None:
    """Return the selected numbers of a group of `count` pillows; None means all of them."""
    numbers: set[int] = set()
    for one in map(str.strip, selector.split(",")):
        if one == "*":
            return None
        match = _GROUP.fullmatch(one)
        if match is None or match["name"] != group:
            continue
        if match["all"]:
            return None
        low = int(match["low"])
        numbers.update(range(low, min(count, int(match["high"] or low)) + 1))
    return frozenset(number for number in numbers if number <= count)
