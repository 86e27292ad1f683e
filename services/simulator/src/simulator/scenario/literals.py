"""The literals of a scenario file: durations, ranges, hours and selectors of pillows.

Every parser raises ValueError with a sentence that says what to write.
"""

import re
from collections.abc import Callable
from typing import Final, TypeVar

from msgspec import UNSET, UnsetType

_Parsed = TypeVar("_Parsed")

DURATION: Final = r"-?(\d+(\.\d+)?(ms|s|m|h|d))+"
RANGE: Final = rf"{DURATION}(\.\.{DURATION})?"
HOUR: Final = r"([01]\d|2[0-3]):[0-5]\d"
_ONE: Final = r"(\*|[a-z0-9][a-z0-9-]*-(\*|[1-9]\d*(\.\.[1-9]\d*)?))"
SELECTOR: Final = rf"{_ONE}( *, *{_ONE})*"

_UNITS_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_GROUP: Final = re.compile(r"(?P<name>.+)-(?:(?P<all>\*)|(?P<low>\d+)(?:\.\.(?P<high>\d+))?)")


def parse_duration(text: str) -> float:
    """Return the seconds of a duration like `1h30m`, `2.5s` or `-10m`."""
    if not re.fullmatch(DURATION, text, re.ASCII):
        raise ValueError(f"{text!r} is not a duration; write it like 500ms, 2.5s or 1h30m")
    total = 0.0
    for number, unit in _PART.findall(text):
        total += float(number) * _UNITS_S[unit]
    total = round(total, 3)
    return -total if text.startswith("-") else total


def parse_range(text: str) -> tuple[float, float]:
    """Return both ends in seconds of a range like `1s..5s`; those of a duration are equal."""
    if not re.fullmatch(RANGE, text, re.ASCII):
        raise ValueError(f"{text!r} is not a range; write it like 5s or 1s..5s")
    low, _, high = text.partition("..")
    low_s, high_s = parse_duration(low), parse_duration(high or low)
    if high_s < low_s:
        raise ValueError(f"{text!r} ends before it begins; write the smaller duration first")
    return low_s, high_s


def parse_hour(text: str) -> float:
    """Return the hour of a time of day like `07:30`."""
    if not re.fullmatch(HOUR, text, re.ASCII):
        raise ValueError(f"{text!r} is not a time of day; write it like 07:30")
    return int(text[:2]) + int(text[3:]) / 60


def check_duration(
    key: str,
    text: str | UnsetType,
    *,
    above_zero: bool = False,
    may_be_negative: bool = False,
) -> None:
    """Check a duration, which must not be negative unless it may be; `key` is for the error."""
    if not isinstance(text, UnsetType):
        duration_s = _parse(key, parse_duration, text)
        if not may_be_negative:
            _check_sign(key, text, duration_s, above_zero=above_zero)


def check_range(key: str, text: str | UnsetType, *, above_zero: bool = False) -> None:
    """Check a range, which must not be negative; `key` is for the error."""
    if not isinstance(text, UnsetType):
        low_s, _ = _parse(key, parse_range, text)
        _check_sign(key, text, low_s, above_zero=above_zero)


def check_hour(key: str, text: str | UnsetType) -> None:
    """Check a time of day; `key` is for the error."""
    if text is not UNSET:
        _parse(key, parse_hour, str(text))


def check_selector(key: str, text: str) -> None:
    """Check a selector of pillows; `key` is for the error."""
    if not re.fullmatch(SELECTOR, text, re.ASCII):
        raise ValueError(
            f"{key} = {text!r} is not a selector of pillows; write it like cloud-1, cloud-2..5, "
            "cloud-*, several of these with commas, or *"
        )


def _parse(key: str, parse: Callable[[str], _Parsed], text: str) -> _Parsed:
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"{key} = {error}") from None


def _check_sign(key: str, text: str, value_s: float, *, above_zero: bool) -> None:
    if value_s < 0:
        raise ValueError(f"{key} = {text!r} is negative")
    if above_zero and value_s < 0.001:
        raise ValueError(f"{key} = {text!r} must be at least 1ms")


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
