"""The outbox on disk: what is committed is there after a kill, dead letters are bounded."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from notifier.detect.marks import Mark, Silence
from notifier.outbox.delivery import Batch, Row
from notifier.outbox.open_outbox import open_outbox
from notifier.outbox.outbox_file import (
    Loaded,
    OutboxFile,
    OutboxInUse,
    OutboxUnavailable,
    lock_outbox,
)
from tests.unit.notifier.examples import event

Open = Callable[..., OutboxFile]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Open files, and close them after the test."""
    files: list[OutboxFile] = []

    def open_file(path: Path, *, create: bool = True) -> OutboxFile:
        files.append(OutboxFile(path, create=create))
        return files[-1]

    yield open_file
    for file in files:
        file.close()


@contextmanager
def opened_after_damage(path: Path) -> Iterator[Loaded]:
    """Open a file that may be damaged."""
    file, loaded = open_outbox(path)
    try:
        yield loaded
    finally:
        file.close()


MARK = Mark("alive", "", "cloud-1")


def row(number: int, **given: object) -> Row:
    """Return a delivery that waits."""
    return Row(number, "house", event(number=number))._replace(**given)  # type: ignore[arg-type]


def dead(number: int) -> Row:
    """Return a dead letter."""
    return row(number, state="dead", error="HTTP 500", ended_ms=number)


def test_what_is_committed_is_there_after_a_kill(tmp_path: Path, opened: Open) -> None:
    """Nothing is closed before."""
    path = tmp_path / "outbox.db"
    killed = opened(path)
    killed.commit(Batch({1: row(1), 2: row(2), 3: dead(3)}, {MARK: True}), 10)
    killed.commit(Batch({1: None, 2: row(2, attempts=4, waited_s=1.5)}), 10)

    loaded = opened(path).load()

    assert loaded.waiting == [row(2, attempts=4, waited_s=1.5)]
    assert (loaded.marks, loaded.last_number) == ([MARK], 3)
    assert path.stat().st_mode & 0o077 == 0, "only its owner reads it"


def test_above_the_limit_the_oldest_dead_letters_are_deleted(tmp_path: Path, opened: Open) -> None:
    file = opened(tmp_path / "outbox.db")

    assert file.commit(Batch({number: dead(number) for number in range(1, 6)}), 3) == 2
    assert [one.number for one in file.dead_letters()] == [5, 4, 3]


def test_a_dead_letter_that_is_put_back_is_found_by_the_notifier_that_runs(
    tmp_path: Path, opened: Open
) -> None:
    path = tmp_path / "outbox.db"
    service = opened(path)
    service.commit(Batch({1: dead(1), 2: dead(2)}), 10)
    assert service.retried() == []
    command = opened(path, create=False)

    assert command.retry([1, 7]) == [1]
    assert command.delete([2, 7]) == [2]

    [found] = service.retried()
    assert (found.number, found.is_retried, found.attempts) == (1, True, 0)
    assert service.retried() == []
    assert service.dead_letters() == []


def test_a_mark_that_is_removed_is_gone(tmp_path: Path, opened: Open) -> None:
    file = opened(tmp_path / "outbox.db")
    file.commit(Batch({}, {MARK: True}), 10)
    file.commit(Batch({}, {MARK: False}), 10)

    assert file.load().marks == []


def test_silences_replace_those_before(tmp_path: Path, opened: Open) -> None:
    """A batch without any leaves them; an outbox of an earlier version has no table for them."""
    path = tmp_path / "outbox.db"
    file = opened(path)
    file.commit(Batch(silences=[Silence("a", 9, True, False, (1, 2, -1))]), 10)
    one = Silence("b", 20_000, False, True, (3, 4, 5))
    file.commit(Batch(silences=[one]).followed_by(Batch({}, {MARK: True})), 10)

    assert opened(path).load().silences == [one]
    with sqlite3.connect(path) as changed:
        changed.execute("DROP TABLE silence")
    changed.close()
    assert opened(path).load().silences == []


def test_one_notifier_uses_a_file(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    first = lock_outbox(path)
    with pytest.raises(OutboxInUse, match="another notifier uses it"):
        lock_outbox(path)
    os.close(first)
    os.close(lock_outbox(path))
    with pytest.raises(OutboxUnavailable, match="No such file"):
        lock_outbox(tmp_path / "nowhere" / "outbox.db")


@pytest.mark.parametrize("content", [b"not a database at all", b"x" * 10_000])
def test_a_damaged_file_is_set_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(content)

    with opened_after_damage(path) as loaded:
        assert loaded.waiting == []
    [aside] = [one for one in tmp_path.iterdir() if ".damaged-" in one.name]
    assert aside.read_bytes() == content


def test_an_event_that_cannot_be_read_is_damage(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "outbox.db"
    opened(path).commit(Batch({1: row(1)}), 10)
    with sqlite3.connect(path) as changed:
        changed.execute("UPDATE delivery SET event = '{}'")
    changed.close()

    with opened_after_damage(path) as loaded:
        assert loaded.waiting == []


def test_a_file_of_another_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with sqlite3.connect(path) as changed:
        changed.execute("PRAGMA user_version = 9")
    changed.close()

    with pytest.raises(OutboxUnavailable, match=r"another version \(9\)"):
        open_outbox(path)
