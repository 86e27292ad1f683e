"""Coalescing: puts changes into as few frames as their size and order allow. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from contract.cursors import Cursor
from contract.frames import encode_removed, encode_updates
from gateway.fanout.encoding import Frame
from gateway.state.state_store import Change

MAX_FRAME_BYTES: Final = 65_536
"""The largest frame of updates, unless a single state is larger: more become several frames."""

_ENVELOPE_BYTES: Final = 256
"""What surrounds the states of a frame, at most: type, cursor, times and flags."""

_SEPARATOR_BYTES: Final = 3
"""What a pillow costs in a frame beside its payload, at most: quotes and a comma."""

MAX_STATES_BYTES: Final = MAX_FRAME_BYTES - _ENVELOPE_BYTES
"""What the states of a frame may take together."""


def size_in_frame(change: Change) -> int:
    """Return what a change takes in a frame, at most."""
    return len(change.pillow if change.payload is None else change.payload) + _SEPARATOR_BYTES


def encode_changes(
    changes: Iterable[Change], epoch: str, now_ms: int, *, at_most: int | None = None
) -> Iterator[Frame]:
    """Yield frames that carry the changes, in order; each has the cursor of its last change.

    Updates and removals are frames of different types, so a frame ends where the kind changes.
    `at_most` is an offset that no cursor is beyond.
    """
    states: list[bytes] = []
    removed: list[str] = []
    size, offset = 0, 0
    for change in changes:
        is_removal = change.payload is None
        added = size_in_frame(change)
        if (states or removed) and (is_removal == bool(states) or size + added > MAX_STATES_BYTES):
            yield _frame(_cursor(epoch, offset, at_most), states, removed, now_ms)
            states, removed, size = [], [], 0
        if change.payload is None:
            removed.append(change.pillow)
        else:
            states.append(change.payload)
        size += added
        offset = change.offset
    if states or removed:
        yield _frame(_cursor(epoch, offset, at_most), states, removed, now_ms)


def _cursor(epoch: str, offset: int, at_most: int | None) -> Cursor:
    return Cursor(epoch, offset if at_most is None else min(offset, at_most))


def _frame(cursor: Cursor, states: list[bytes], removed: list[str], now_ms: int) -> Frame:
    if states:
        data = encode_updates(cursor, sent_ms=now_ms, pillows=states)
        return Frame(data, cursor, updates=len(states))
    return Frame(encode_removed(cursor, removed), cursor, updates=len(removed))
