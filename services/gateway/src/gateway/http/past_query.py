"""What several queries of the past have in common. Pure."""

from contract.http_types import PastSource
from contract.timestamps import parse_timestamp

BAD_INSTANT = "from and to are RFC 3339 instants, such as 2026-11-29T03:00:00Z"

FIRST_US = -62_135_596_800_000_000
"""The first instant that RFC 3339 can write in UTC, in microseconds since 1970."""

LAST_US = 253_402_300_799_999_999
"""The last one."""

_MAX_DIGITS = 20


def parse_number(text: str | None, default: int, maximum: int) -> int | None:
    """Return a whole number of a query; None for anything but 1 to a maximum."""
    if text is None:
        return default
    # A text of any length is not converted: the time for that grows with its square.
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
        return None
    return int(text) if 1 <= int(text) <= maximum else None


def parse_instant(text: str) -> int | None:
    """Return an instant in microseconds since 1970; None for one that UTC cannot write."""
    found = parse_timestamp(text)
    return found if found is not None and FIRST_US <= found <= LAST_US else None


def source_of(is_recorded: bool) -> PastSource:
    """Return what a response says of its source."""
    return "recorder" if is_recorded else "memory"
