"""What `scripts/dev` refuses before anything is installed, and what it installs."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import broker, launch, ports
from devstack.processes import ROOT


def checkout(folder: Path) -> Path:
    """Copy what runs before anything is installed, with a set-up that says that it ran."""
    shutil.copytree(
        ROOT / "devstack", folder / "devstack", ignore=shutil.ignore_patterns("__pycache__")
    )
    scripts = folder / "scripts"
    scripts.mkdir()
    shutil.copy(ROOT / "scripts" / "dev", scripts / "dev")
    setup = scripts / "setup"
    setup.write_text(
        "#!/bin/sh\n"
        f'[ "$1" != --python ] || exec echo {sys.executable}\n'
        'echo "set up: $*"; exit 3\n'
    )
    setup.chmod(0o755)
    return folder


def dev(folder: Path, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run scripts/dev without the packages of this environment."""
    env = {**os.environ, "PATH": path or os.environ["PATH"], "PYTHONNOUSERSITE": "1"}
    return subprocess.run(
        [folder / "scripts" / "dev", *arguments],
        capture_output=True,
        text=True,
        env=env,
        check=False,
    )


def test_a_taken_port_is_refused_before_anything_is_installed(tmp_path: Path) -> None:
    with socket.create_server((ports.HOST, 0)) as taken:
        port = taken.getsockname()[1]

        done = dev(checkout(tmp_path), "--mqtt-port", str(port))

    assert (done.returncode, done.stdout) == (2, "")
    assert f"port {port} for the MQTT broker is taken" in done.stderr
    assert "--mqtt-port" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [(["--help"], 0, "examples:"), (["--gatway-port", "1"], 2, "--gatway-port")],
)
def test_help_and_unknown_options_need_no_set_up(
    tmp_path: Path, arguments: list[str], status: int, text: str
) -> None:
    done = dev(checkout(tmp_path), *arguments)

    assert done.returncode == status
    assert text in done.stdout + done.stderr
    assert "set up" not in done.stdout


def test_what_runs_before_the_set_up_needs_no_package(tmp_path: Path) -> None:
    folder = checkout(tmp_path)

    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            "import sys; sys.path[:0] = ['.']; import devstack.launch",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""


def test_the_set_up_of_a_failed_installation_is_the_exit_status(tmp_path: Path) -> None:
    free = [word for name in ports.PURPOSES for word in (f"--{name}-port", "0")]

    done = dev(checkout(tmp_path), *free)

    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.startswith("set up: --run")


def test_only_what_the_machine_lacks_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("mosquitto", "mosquitto_passwd", "node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\necho v20.0.0\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(broker, "SEARCH", str(tmp_path))
    assert launch.needed_groups("auto") == []
    assert launch.needed_groups("embedded") == ["embedded-broker"]

    (tmp_path / "npm").unlink()
    (tmp_path / "mosquitto").unlink()

    assert launch.needed_groups("auto") == ["embedded-broker", "node"]
