"""What several queries of the past have in common. Pure, but for the time zones' database."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contract.http_types import PastSource

BAD_ZONE = "tz is a time zone, such as Europe/Berlin"


def parse_number(text: str | None, default: int, maximum: int) -> int | None:
    """Return a whole number of a query; None for anything but 1 to a maximum."""
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= maximum:
        return None
    return int(text)


def parse_zone(text: str | None) -> ZoneInfo | None:
    """Return a time zone of the IANA database; None where there is none of that name."""
    try:
        return ZoneInfo(text or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def source_of(is_recorded: bool) -> PastSource:
    """Return what a response says of its source."""
    return "recorder" if is_recorded else "memory"
