"""Checks of this machine: the journal's folder and its disk."""

import errno
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from ops.doctor.machine_checks import check_journal
from ops.findings import Finding, Findings, Level


def checked(folder: Path | None) -> Finding:
    found = Findings("machine")
    check_journal(folder, found)
    [one] = found.list
    return one


def test_a_folder_that_can_be_written_is_well_and_left_as_it_was(tmp_path: Path) -> None:
    assert checked(tmp_path).level is Level.OK
    assert list(tmp_path.iterdir()) == []


def test_no_journal_and_a_missing_folder(tmp_path: Path) -> None:
    assert (checked(None).level, "POLLER_JOURNAL" in checked(None).advice) == (Level.NOTE, True)
    assert checked(tmp_path / "no").detail.endswith("does not exist")


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "make room on that disk, or raise the quota or the limit of file sizes"),
        (errno.EROFS, "let the poller's user write there"),
    ],
)
def test_a_disk_that_is_full_or_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    def fail(**_options: object) -> NoReturn:
        raise OSError(number, "the reason of the system")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", fail)
    found = checked(tmp_path)

    assert (found.level, found.advice) == (Level.WRONG, advice)
    assert "the reason of the system" in found.detail


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = SimpleNamespace(free=3_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
    found = checked(tmp_path)

    assert found.level is Level.WRONG
    assert "has 3 MB of room" in found.detail
