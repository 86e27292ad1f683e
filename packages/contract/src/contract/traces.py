"""Trace contexts: the W3C header `traceparent`, which a message may have as a field.

Sources: W3C Trace Context §3.2; the version ff and ids of zeros are invalid.
"""

import re
from typing import Final, NamedTuple

_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
)

SAMPLED: Final = 0x01
"""The flag that says that the caller records its spans."""


class TraceContext(NamedTuple):
    """A span of some process: the id of its trace, its own id, and the flags."""

    trace_id: int
    span_id: int
    flags: int

    def __str__(self) -> str:
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{self.flags:02x}"


def parse_traceparent(value: object) -> TraceContext | None:
    """Return the context that a value names; None for anything else, whatever it is."""
    found = _TRACEPARENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    return TraceContext(trace_id, span_id, flags)
