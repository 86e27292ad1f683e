"""Pillow report: what a gateway says of one pillow, and of a client that it refused. Values."""

import msgspec

from runtime.note import Note


class RefusedClient(msgspec.Struct, frozen=True):
    """A client that was refused: when (Unix milliseconds), the close code and the reason."""

    at_ms: int
    code: int
    reason: str
    peer: str | None


class PillowReport(msgspec.Struct, frozen=True):
    """One pillow as this gateway shows it; `known` is false for one that it does not show.

    `grey` is the reason in one word, None where it is not grey; `silent_ms` is how long nothing has
    come from it while the broker was reachable. Times are in Unix milliseconds.
    """

    pillow: str
    known: bool
    state: str | None = None
    last: str | None = None
    at: str | None = None
    since: str | None = None
    grey: str | None = "unknown"
    silent_ms: int | None = None
    queued_ms: int | None = None
    published_ms: int | None = None
    clock_behind: bool = False
    offline: bool = False
    notes: list[Note] = []
    refused_clients: list[RefusedClient] = []


class PillowPage(msgspec.Struct, frozen=True):
    """Pillows in the order in which they became known; `next` is the `after` of the next page."""

    total: int
    pillows: list[PillowReport]
    next: int | None
