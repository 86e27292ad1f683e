"""The journal's file: what was committed is there after a kill, and a full disk is told."""

import multiprocessing
import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.journal.journal_file import (
    JournalFile,
    JournalLocked,
    JournalRow,
    JournalUnavailable,
    JournalUnreadable,
)
from poller.journal.save_marks import SaveMark


def row(pillow: str, text: str = "{}", *, journal: str = "a0", number: int = 1) -> JournalRow:
    """Return a row."""
    return JournalRow(pillow, text.encode(), SaveMark(journal, number))


@contextmanager
def limited(path: Path, more: int) -> Iterator[None]:
    """Let no file grow by more than `more` bytes above the largest of a folder: a full disk."""
    largest = max(one.stat().st_size for one in path.iterdir())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_last_row_of_each_pillow_is_kept(tmp_path: Path) -> None:
    """Also when a pillow is removed in between; the id of the marks stays."""
    path = tmp_path / "one.sqlite3"
    with JournalFile(path, "one") as file:
        first_id = file.id
        file.commit([row("a", '{"n":1}'), row("b")])
        file.commit([row("a", '{"n":2,"text":"\\u2601 \\" \\u0000"}', number=7)], ["b"])
        file.commit([])
    with JournalFile(path, "one") as file:
        assert file.id == first_id
        assert file.rows() == [row("a", '{"n":2,"text":"\\u2601 \\" \\u0000"}', number=7)]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=20), st.booleans())))
def test_rows_are_what_was_written_last(changes: list[tuple[str, str, bool]]) -> None:
    """Whatever text a payload has."""
    expected: dict[str, JournalRow] = {}
    with TemporaryDirectory() as folder, JournalFile(Path(folder) / "j", "one") as file:
        for number, (pillow, text, is_removed) in enumerate(changes):
            new = row(pillow, text.replace("\x00", ""), number=number)
            if is_removed:
                expected.pop(pillow, None)
                file.commit([], [pillow])
            else:
                expected[pillow] = new
                file.commit([new])
        assert {one.pillow: one for one in file.rows()} == expected


def test_a_journal_is_held_by_one_process(tmp_path: Path) -> None:
    """The second one learns it at once, and can have it after the first one has ended."""
    path = tmp_path / "one.sqlite3"
    with JournalFile(path, "one") as file:
        file.commit([row("a")])
        spawn = multiprocessing.get_context("spawn")
        with spawn.Pool(1) as pool:
            assert pool.apply(_is_locked, (str(path),))
    with JournalFile(path) as file:
        assert file.rows() == [row("a")]


def _is_locked(path: str) -> bool:
    try:
        JournalFile(Path(path)).close()
    except JournalLocked:
        return True
    return False


def test_what_was_committed_is_there_after_a_kill(tmp_path: Path) -> None:
    """The process ends without closing anything, in the middle of its commits."""
    path = tmp_path / "one.sqlite3"
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        file = JournalFile(path, "one")
        for number in range(50):
            file.commit([row(f"p{number}", "x" * 3000)])
            os.write(writer, b".")
        os.kill(os.getpid(), 9)
    os.close(writer)
    confirmed = 0
    while data := os.read(reader, 100):
        confirmed += len(data)
    os.close(reader)
    os.waitpid(child, 0)

    with JournalFile(path, "one") as file:
        assert len(file.rows()) == confirmed == 50


def test_a_full_disk_is_told_and_the_file_is_used_again_when_there_is_room(tmp_path: Path) -> None:
    """What was committed before is there, and nothing of the failed commit."""
    with JournalFile(tmp_path / "one.sqlite3", "one") as file:
        file.commit([row("a")])
        with limited(tmp_path, 1000), pytest.raises(JournalUnavailable, match=r"one\.sqlite3"):
            file.commit([row(f"p{number}", "x" * 3000) for number in range(100)])
        assert file.rows() == [row("a")]
        file.commit([row("b")], ["a"])
        assert file.rows() == [row("b")]


def test_the_states_of_a_journal_are_read_on_a_full_disk(tmp_path: Path) -> None:
    """A start needs no room."""
    path = tmp_path / "one.sqlite3"
    with JournalFile(path, "one") as file:
        file.commit([row("a")])
    with limited(tmp_path, -path.stat().st_size + 1), JournalFile(path, "one") as file:
        assert file.rows() == [row("a")]
        with pytest.raises(JournalUnavailable):
            file.commit([row("b")])


@pytest.mark.parametrize(
    "content", [b"no database at all" * 400, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_file_that_is_no_journal_is_unreadable(tmp_path: Path, content: bytes) -> None:
    """It is not overwritten."""
    path = tmp_path / "one.sqlite3"
    path.write_bytes(content)

    with pytest.raises(JournalUnreadable, match=r"one\.sqlite3"):
        JournalFile(path, "one")
    assert path.read_bytes() == content


def test_a_database_of_another_kind_is_unreadable(tmp_path: Path) -> None:
    """One of a later version, for example."""
    path = tmp_path / "one.sqlite3"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("PRAGMA user_version = 9")
    other.close()

    with pytest.raises(JournalUnreadable, match="version is 9"):
        JournalFile(path, "one")


def test_a_damaged_page_is_unreadable(tmp_path: Path) -> None:
    """Noticed when it is read."""
    path = tmp_path / "one.sqlite3"
    with JournalFile(path, "one") as file:
        file.commit([row(f"p{number}", "x" * 500) for number in range(200)])
    content = bytearray(path.read_bytes())
    content[4096:] = b"\x99" * (len(content) - 4096)
    path.write_bytes(content)

    with pytest.raises(JournalUnreadable):
        JournalFile(path, "one").rows()


def test_a_file_that_was_deleted_is_told(tmp_path: Path) -> None:
    """Otherwise commits would go to a file that nobody can read again."""
    path = tmp_path / "one.sqlite3"
    with JournalFile(path, "one") as file:
        path.unlink()
        with pytest.raises(JournalUnavailable, match=r"one\.sqlite3"):
            file.commit([row("a")])
        path.write_bytes(b"")
        with pytest.raises(JournalUnavailable, match="another file"):
            file.commit([row("a")])


def test_an_empty_file_of_another_poller_has_no_states(tmp_path: Path) -> None:
    """That poller was killed while it created the file."""
    path = tmp_path / "other.sqlite3"
    path.touch()

    with JournalFile(path) as file:
        assert file.rows() == []
        assert file.instances() == {}
