"""Time zones that a query may name: those of the IANA database.

A system's folder of time zones has more: `localtime` is the server's own, `right/Europe/Berlin`
counts leap seconds. It may also have less: Debian keeps older names, which browsers still send, in
a package that few install (`Asia/Calcutta`). So the names are those of the package `tzdata`, and
the rules the system's, where it has them.
"""

from functools import cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

MAX_SAID: Final = 80
"""How much of a wrong name a sentence repeats."""

_NO_PLACE: Final = "Factory"
"""The database's own name for a machine whose zone was never set."""


def parse_zone(text: str | None) -> ZoneInfo | None:
    """Return a time zone, UTC unless one is named; None where there is none of that name."""
    name = text or "UTC"
    return ZoneInfo(name) if name in zone_names() else None


def wrong_zone(text: str | None) -> str:
    """Return what to tell of a name that is no time zone's."""
    return f"{(text or '')[:MAX_SAID]!r} is no time zone; tz is one such as Europe/Berlin"


@cache
def zone_names() -> frozenset[str]:
    """Return the names that the IANA database publishes, as of the installed `tzdata`."""
    text = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(text.split()) - {_NO_PLACE}
