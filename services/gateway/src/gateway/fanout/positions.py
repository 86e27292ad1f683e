"""Positions: how far in the stream a subscriber is that is not live. Pure.

A position is all that is kept for a subscriber that does not read, and it has a fixed size.
"""

from typing import Literal, NamedTuple, TypeAlias

from contract.cursors import Cursor
from contract.frames import Status


class ResumePoint(NamedTuple):
    """Where a live subscriber was paused: it has every change up to `offset`, and this status."""

    offset: int
    status: Status


class Sweep(NamedTuple):
    """A walk over the known pillows in the order in which they became known.

    It visits those after `arrival`, up to `last_arrival`, and sends each one that has changed.
    `offset` is where the stream ended when the sweep began.
    """

    arrival: int
    last_arrival: int
    offset: int


class Walk(NamedTuple):
    """Where a walk over the store goes on; see `walking`.

    Everything up to the offset `position` was sent, and the removals up to `removed_through`.
    `end` is where the stream ended when this round of the walk began.
    """

    position: int
    end: int
    removed_through: int
    sweep: Sweep | None = None


CatchUpKind = Literal["snapshot", "recovered", "catch_up"]
"""A full snapshot, one of what changed after a cursor, or updates for one that was paused."""


class Progress(NamedTuple):
    """Where a catch-up goes on, after a piece of it was written.

    `status` is the one that the client was sent last. `is_continued` says that a frame of this
    snapshot was sent.
    """

    kind: CatchUpKind
    walk: Walk
    status: Status
    is_continued: bool


ResumeFrom: TypeAlias = Cursor | ResumePoint | Progress | None
"""What a waiting subscriber has: all up to a cursor that its client named, or up to the point where
it was paused, or the pieces that it was sent; None for nothing."""
