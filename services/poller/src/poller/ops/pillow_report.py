"""Pillow report: what a poller says of one pillow. A value."""

import msgspec

from poller.settle.recent_dead_letter import RecentDeadLetter
from runtime.note import Note


class PillowReport(msgspec.Struct, frozen=True):
    """The last write of a pillow, and what went wrong with it; times in Unix milliseconds.

    `refused` is why the broker does not take its states; None if it does.
    """

    pillow: str
    known: bool
    state: str | None
    at: str | None
    queued_ms: int | None
    published_ms: int | None
    refused: str | None
    notes: list[Note]
    dead_letters: list[RecentDeadLetter]
