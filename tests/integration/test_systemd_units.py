"""The systemd units of deploy/, by systemd itself; nothing is started."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from devstack.processes import ROOT
from docsite.blocks import code_blocks
from tests.machine import need

UNITS: Final = [
    *sorted(ROOT.glob("deploy/systemd/*.service")),
    ROOT / "deploy/devices/pillow.service",
]
EXPOSURE: Final = {"pillow.service": 35}
"""The highest exposure level in tenths; a pillow needs its I2C bus."""


def installed(unit: Path, folder: Path) -> Path:
    """Return a copy of a unit whose programs are those of this checkout."""
    text = unit.read_text(encoding="utf-8").replace("/opt/pillowcast/", f"{ROOT}/")
    text = text.replace("/opt/pillow/venv/", f"{ROOT}/.venv/")
    copy = folder / unit.name
    copy.write_text(text)
    return copy


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze."""
    program = shutil.which("systemd-analyze")
    need(program is not None, "systemd-analyze is not installed: apt-get install systemd")
    return subprocess.run([str(program), *arguments], capture_output=True, text=True, check=False)


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """No unknown option, no program that does not exist."""
    done = analyze("verify", "--man=no", *[installed(unit, tmp_path) for unit in UNITS])

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_systemd_accepts_the_additions_of_the_how_to(tmp_path: Path) -> None:
    """What `systemctl edit pillowcast-gateway` is given."""
    page = (ROOT / "docs/how-to/systemd.md").read_text(encoding="utf-8")
    additions = [block.text for block in code_blocks("", page) if block.language == "ini"]
    assert additions
    unit = installed(ROOT / "deploy/systemd/pillowcast-gateway.service", tmp_path)
    for number, text in enumerate(additions):
        folder = tmp_path / f"{unit.name}.d"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.conf").write_text(text)

    done = analyze("verify", "--man=no", unit)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_kept_from_what_it_does_not_need(unit: Path, tmp_path: Path) -> None:
    """docs/how-to/systemd.md states the level."""
    threshold = EXPOSURE.get(unit.name, 16)
    done = analyze(
        "security", "--offline=yes", f"--threshold={threshold}", "--no-pager",
        installed(unit, tmp_path),
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-300:]


def test_a_unit_names_only_folders_and_files_of_the_how_to() -> None:
    """What a person has to write is in the page."""
    page = (ROOT / "docs/how-to/systemd.md").read_text(encoding="utf-8")
    named = {
        path
        for unit in UNITS[:-1]
        for path in re.findall(r"/etc/pillowcast/[\w.-]+", unit.read_text(encoding="utf-8"))
    }
    assert [path for path in sorted(named) if path not in page] == []
