"""Pillow notes: what went wrong with a pillow lately, for operators.

They are written where a message is refused, superseded or removed, and never for one that goes on.
"""

from collections import OrderedDict
from typing import Final

from runtime.clocks import unix_ms
from runtime.note import Note

MAX_PILLOWS: Final = 1_000
"""For how many pillows there are notes; the one whose last note is the oldest is forgotten."""


class PillowNotes:
    """The last note of each kind, by pillow."""

    def __init__(self) -> None:
        self._notes: OrderedDict[str, dict[str, Note]] = OrderedDict()

    def add(self, pillow: str, kind: str, text: str = "") -> None:
        """Note what happened now."""
        notes = self._notes.setdefault(pillow, {})
        self._notes.move_to_end(pillow)
        note = notes.get(kind)
        if note is None:
            note = notes[kind] = Note(kind, text, 0)
        note.text, note.at_ms, note.count = text, unix_ms(), note.count + 1
        if len(self._notes) > MAX_PILLOWS:
            self._notes.popitem(last=False)

    def of(self, pillow: str) -> list[Note]:
        """Return the notes of a pillow, the newest first."""
        notes = self._notes.get(pillow, {}).values()
        return sorted(notes, key=lambda note: note.at_ms, reverse=True)
