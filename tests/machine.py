"""What a test needs of the machine: without it, skipped on a laptop and failed in CI."""

import os
import shutil
import subprocess
from functools import cache

import pytest

from devstack.broker import SEARCH


def need(present: bool, lack: str) -> None:
    """Go on only if what the test needs is there; `lack` says what is not, and how to get it."""
    if present:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{lack} (a failure, not a skip, because CI is set)", pytrace=False)
    pytest.skip(lack)


def need_mosquitto() -> None:
    """The broker and its command-line clients."""
    missing = [
        name
        for name in ("mosquitto", "mosquitto_passwd", "mosquitto_sub", "mosquitto_pub")
        if shutil.which(name, path=SEARCH) is None
    ]
    need(
        not missing,
        f"{', '.join(missing)} not installed: apt-get install mosquitto mosquitto-clients",
    )


def need_docker() -> None:
    """A Docker engine that answers, with compose."""
    need(
        _docker_answers(),
        "no Docker engine with compose answers: docker compose version; docker info",
    )


@cache
def _docker_answers() -> bool:
    if shutil.which("docker") is None:
        return False
    asked = (["docker", "info"], ["docker", "compose", "version"])
    return all(
        subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
        for command in asked
    )


def need_chromium() -> str:
    """The system's Chromium; returns its path."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next(filter(None, map(shutil.which, names)), None)
    need(path is not None, "no Chromium installed: apt-get install chromium")
    return str(path)
