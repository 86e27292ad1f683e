"""Timestamps: RFC 3339 text on the wire, integer microseconds since 1970 in the code."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec

MAX_CLOCK_SKEW_MS: Final = 300_000
"""How far a pillow's clock may differ from the queue's before the difference counts as an error."""

FIRST_PLAUSIBLE_US: Final = 1_577_836_800_000_000
"""2020-01-01: an earlier time comes from a clock that was never set, in microseconds."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_UTC_TEXT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
_AWARE: Final[msgspec.json.Decoder[datetime]] = msgspec.json.Decoder(
    Annotated[datetime, msgspec.Meta(tz=True)]
)


def parse_timestamp(text: str) -> int | None:
    """Parse an RFC 3339 date-time with an offset; None for any other text.

    Digits beyond the microsecond are rounded.
    """
    try:
        moment = _AWARE.decode(msgspec.json.encode(text))
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return None
    return (moment - _EPOCH) // _MICROSECOND


def format_timestamp(microseconds: int) -> str:
    """Format a time in UTC, with three decimals, or six where the microseconds need them.

    Raises OverflowError outside the years 1 to 9999.
    """
    moment = _EPOCH + microseconds * _MICROSECOND
    precision = "milliseconds" if microseconds % 1000 == 0 else "microseconds"
    return moment.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def is_utc_text(text: str) -> bool:
    """Return whether `text` already has the form of `at` in a state: upper case, UTC, `Z`."""
    return _UTC_TEXT.fullmatch(text) is not None
