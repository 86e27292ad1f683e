"""The folder of journals: two pollers share it, and files left behind are adopted."""

import fcntl
import threading
from pathlib import Path

import pytest

from contract.timestamps import format_timestamp
from poller.journal import journal_folder
from poller.journal.journal_file import JournalFile, JournalRow, JournalUnavailable
from poller.journal.journal_folder import JournalFolder, OpenedJournal
from poller.journal.save_marks import SaveMark


def row(pillow: str, at: int, *, journal: str = "a0", number: int = 1) -> JournalRow:
    """Return the row of a state."""
    text = f'{{"pillow":"{pillow}","state":"hugging","at":"{format_timestamp(at * 10**6)}"}}'
    return JournalRow(pillow, text.encode(), SaveMark(journal, number))


def written(folder: Path, instance: str, *rows: JournalRow, prefix: str = "pillow") -> None:
    """Write a journal and leave it behind."""
    with JournalFile(folder / f"{prefix}.{instance}.sqlite3", instance) as file:
        file.commit(rows)


def names(folder: Path) -> set[str]:
    """Return the names of the journals in a folder."""
    return {path.name for path in folder.glob("*.sqlite3")}


def orders(opened: OpenedJournal) -> dict[str, int]:
    """Return the time of each pillow's state."""
    return {name: one.update.order[0] // 10**6 for name, one in opened.states.items()}


def test_a_poller_finds_its_states_again(tmp_path: Path) -> None:
    """With the largest number of its own marks."""
    folder = tmp_path / "not" / "there"
    with JournalFolder(folder, "pillow", "one").open().file as file:
        own = file.id
        file.commit([row("a", 1, journal=own, number=7), row("b", 2, journal="b0", number=99)])
    opened = JournalFolder(folder, "pillow", "one").open()

    assert orders(opened) == {"a": 1, "b": 2}
    assert (opened.file.id, opened.last_mark) == (own, 7)
    opened.file.close()


def test_the_newest_states_of_files_left_behind_are_adopted(tmp_path: Path) -> None:
    """The files are deleted then; their instances' marks decide about them."""
    written(tmp_path, "one", row("a", 5), row("b", 1))
    written(tmp_path, "two", row("c", 3))
    with JournalFolder(tmp_path, "pillow", "three").open().file:
        assert names(tmp_path) == {"pillow.three.sqlite3"}
    written(tmp_path, "four", row("a", 4), row("b", 2, journal="d0"))
    opened = JournalFolder(tmp_path, "pillow", "three").open()

    assert orders(opened) == {"a": 5, "b": 2, "c": 3}
    assert set(opened.instances.values()) == {"three", "four"}, "no state has the marks of others"
    assert names(tmp_path) == {"pillow.three.sqlite3"}
    opened.file.close()
    again = JournalFolder(tmp_path, "pillow", "three").open()
    assert orders(again) == {"a": 5, "b": 2, "c": 3}
    again.file.close()


def test_pollers_with_one_name_have_files_of_their_own(tmp_path: Path) -> None:
    """And what is in use is not adopted, nor what belongs to another prefix."""
    written(tmp_path, "one", row("x", 1), prefix="a%2Fb")
    with JournalFolder(tmp_path, "a", "one").open().file as first:
        first.commit([row("a", 1)])
        opened = JournalFolder(tmp_path, "a", "one").open()
        with opened.file as second:
            assert orders(opened) == {}
            second.commit([row("b", 1)])
    assert names(tmp_path) == {"a%2Fb.one.sqlite3", "a.one.sqlite3", "a.one~2.sqlite3"}
    opened = JournalFolder(tmp_path, "a", "one").open()
    assert orders(opened) == {"a": 1, "b": 1}
    opened.file.close()


@pytest.mark.parametrize("instance", ["one", "two"])
def test_a_file_that_cannot_be_read_is_set_aside(tmp_path: Path, instance: str) -> None:
    """Under a name that the log tells, whether it is the own one or one left behind."""
    (tmp_path / "pillow.one.sqlite3").write_bytes(b"nonsense" * 1000)
    opened = JournalFolder(tmp_path, "pillow", instance).open()
    opened.file.close()

    assert names(tmp_path) == {f"pillow.{instance}.sqlite3"}
    aside = tmp_path / "pillow.one.sqlite3.unreadable"
    assert aside.read_bytes() == b"nonsense" * 1000


def test_a_damaged_file_is_set_aside_with_a_new_one_in_its_place(tmp_path: Path) -> None:
    """The damage shows when the states are read."""
    written(tmp_path, "one", *(row(f"p{number}", number) for number in range(300)))
    path = tmp_path / "pillow.one.sqlite3"
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\x99" * (len(content) - 4096))
    opened = JournalFolder(tmp_path, "pillow", "one").open()
    opened.file.commit([row("a", 1)])
    opened.file.close()

    assert opened.states == {}
    assert path.with_name("pillow.one.sqlite3.unreadable").exists()


def test_a_row_that_is_no_state_is_left_out(tmp_path: Path) -> None:
    """Somebody may have edited it."""
    bad = JournalRow("a", b"{}", SaveMark("a0", 1))
    written(tmp_path, "one", bad, row("b", 1))
    opened = JournalFolder(tmp_path, "pillow", "one").open()
    opened.file.close()

    assert orders(opened) == {"b": 1}


def test_a_folder_that_cannot_be_is_unavailable(tmp_path: Path) -> None:
    """The message names it."""
    (tmp_path / "file").write_text("")

    with pytest.raises(JournalUnavailable, match=str(tmp_path / "file")):
        JournalFolder(tmp_path / "file", "pillow", "one").open()


def test_pollers_open_their_journals_one_after_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise one could delete the file that another one is opening."""
    monkeypatch.setattr(journal_folder, "LOCK_TIMEOUT_S", 0.05)
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(JournalUnavailable, match="another process holds"):
            JournalFolder(tmp_path, "pillow", "one").open()
    monkeypatch.setattr(journal_folder, "LOCK_TIMEOUT_S", 20.0)
    opened: list[OpenedJournal] = []
    threads = [
        threading.Thread(
            target=lambda name=f"p{number}": opened.append(
                JournalFolder(tmp_path, "pillow", name).open()
            )
        )
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(names(tmp_path)) == len(opened) == 8
    for one in opened:
        one.file.close()


def test_what_cannot_be_adopted_is_loaded_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk: the states are published again, and their file stays."""
    written(tmp_path, "one", row("a", 1))

    def fail(*_arguments: object) -> None:
        raise JournalUnavailable("database or disk is full", is_full=True)

    monkeypatch.setattr(JournalFile, "adopt", fail)
    opened = JournalFolder(tmp_path, "pillow", "two").open()
    opened.file.close()

    assert orders(opened) == {"a": 1}
    assert opened.unwritten == {"a"}
    assert "pillow.one.sqlite3" in names(tmp_path)
