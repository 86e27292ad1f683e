"""The file of labels: read at the start, and again when it changes."""

import asyncio
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.labels.labels_file import LabelsFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a name."""
    made = tmp_path / "labels.toml"
    made.write_text('cloud-1 = "Grandma"\n', encoding="utf-8")
    return made


def write(path: Path, text: str) -> None:
    """Replace the file's text."""
    path.write_text(text, encoding="utf-8")


async def opened(path: Path) -> LabelsFile:
    """Return the file after its first reading."""
    file = LabelsFile(path)
    await file.check(is_first=True)
    return file


async def test_it_is_read_at_the_start(path: Path) -> None:
    """And says how many names it has."""
    with capture_logs() as logs:
        file = await opened(path)

    assert file.labels == {"cloud-1": "Grandma"}
    assert [one["names"] for one in logs] == [1]


async def test_a_change_is_read_when_the_file_stays_the_same(path: Path) -> None:
    """It may be half written before."""
    file = await opened(path)

    write(path, 'cloud-1 = "Gran')
    await file.check()
    write(path, 'cloud-1 = "Granny"\n')
    await file.check()
    assert (file.labels, file.error) == ({"cloud-1": "Grandma"}, "")

    await file.check()
    assert file.labels == {"cloud-1": "Granny"}


async def test_a_file_that_is_wrong_leaves_the_names_and_says_so_once(path: Path) -> None:
    """And once that it is well again."""
    file = await opened(path)
    write(path, "cloud-1 = 5")
    with capture_logs() as logs:
        for _ in range(5):
            await file.check()
    assert file.labels == {"cloud-1": "Grandma"}
    assert [(one["log_level"], one["error"]) for one in logs] == [
        ("error", "line 1 is 'cloud-1 = 5', not like cloud-1 = \"Grandma's cloud\"")
    ]

    write(path, 'cloud-1 = "Grandma"')
    with capture_logs() as logs:
        for _ in range(5):
            await file.check()
    assert [one["event"] for one in logs] == ["names of pillows were read"]
    assert file.error == ""


async def test_a_file_that_is_not_there_is_read_when_it_comes(tmp_path: Path) -> None:
    """A start without it is no error of the gateway."""
    path = tmp_path / "labels.toml"
    with capture_logs() as logs:
        file = await opened(path)
        await file.check()
    assert file.labels == {}
    assert [one["error"] for one in logs] == ["it cannot be read: No such file or directory"]

    write(path, 'cloud-1 = "Grandma"')
    await file.check()
    await file.check()
    assert file.labels == {"cloud-1": "Grandma"}


async def test_a_file_that_was_deleted_leaves_its_names(path: Path) -> None:
    """Editors delete and make a file again when they save it."""
    file = await opened(path)
    await asyncio.to_thread(path.unlink)
    await file.check()

    assert file.labels == {"cloud-1": "Grandma"}
    assert "No such file" in file.error


async def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    """A pipe would never end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    assert (await opened(tmp_path)).error == "it cannot be read: it is no file"
    assert (await opened(pipe)).error == "it cannot be read: it is no file"


async def test_without_a_setting_there_are_no_names() -> None:
    """And nothing is looked at."""
    file = LabelsFile(None)
    await file.run()

    assert file.labels == {}
