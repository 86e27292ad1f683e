"""Pillow notes: the last of each kind, and not of any number of pillows."""

import pytest

from runtime import pillow_notes
from runtime.pillow_notes import MAX_PILLOWS, PillowNotes


def test_the_last_note_of_each_kind_is_kept_with_its_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter((1000, 2000, 3000))
    monkeypatch.setattr(pillow_notes, "unix_ms", lambda: next(times))
    notes = PillowNotes()
    notes.add("a", "refused", "not JSON")
    notes.add("a", "removed")
    notes.add("a", "refused", "too large")

    found = [(one.kind, one.text, one.at_ms, one.count) for one in notes.of("a")]

    assert found == [("refused", "too large", 3000, 2), ("removed", "", 2000, 1)]
    assert notes.of("b") == []


def test_above_the_limit_the_pillow_with_the_oldest_note_is_forgotten() -> None:
    notes = PillowNotes()
    for number in range(MAX_PILLOWS):
        notes.add(f"p{number}", "removed")
    notes.add("p0", "removed")
    notes.add("newcomer", "removed")

    assert [len(notes.of(one)) for one in ("p0", "p1", "newcomer")] == [1, 0, 1]
