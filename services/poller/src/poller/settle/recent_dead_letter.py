"""Recent dead letter: one that a poller has made, for operators. A value."""

import msgspec


class RecentDeadLetter(msgspec.Struct, frozen=True):
    """A dead letter: its id in the poison queue, and the pillow that its text names, if any.

    `at_ms` is when it was copied there, in Unix milliseconds.
    """

    at_ms: int
    letter: str | None
    pillow: str | None
    reason: str
    detail: str
