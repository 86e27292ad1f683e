"""Note: something that happened to a pillow, for operators. A value."""

import msgspec


class Note(msgspec.Struct):
    """What happened `count` times, the last time at `at_ms` (Unix milliseconds)."""

    kind: str
    text: str
    at_ms: int
    count: int = 0
