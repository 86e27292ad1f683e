"""Programs that a test needs: without one it is skipped, and fails where CI is set."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from devstack.broker import SEARCH


def need(present: bool, lack: str) -> None:
    """Skip or fail the test unless `present`; `lack` says what is missing and how to get it."""
    if present:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{lack} (a failure, not a skip, because CI is set)", pytrace=False)
    pytest.skip(lack)


def need_mosquitto() -> None:
    """Require mosquitto and its command-line clients."""
    missing = [
        name
        for name in ("mosquitto", "mosquitto_passwd", "mosquitto_sub", "mosquitto_pub")
        if shutil.which(name, path=SEARCH) is None
    ]
    need(
        not missing,
        f"{', '.join(missing)} not installed: apt-get install mosquitto mosquitto-clients",
    )


def need_faketime() -> str:
    """Require libfaketime, which sets the clock of one process; return the path of the library."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    need(bool(found), "libfaketime is not installed: apt-get install faketime")
    return str(found[0])


def need_prometheus() -> None:
    """Require Prometheus and promtool."""
    missing = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
    need(not missing, f"{', '.join(missing)} not installed: apt-get install prometheus")


def need_docker() -> None:
    """Require a Docker engine that responds, with compose."""
    need(
        _docker_responds(),
        "no Docker engine with compose responds: check docker compose version; docker info",
    )


@cache
def _docker_responds() -> bool:
    if shutil.which("docker") is None:
        return False
    commands = (["docker", "info"], ["docker", "compose", "version"])
    return all(
        subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
        for command in commands
    )


def need_chromium() -> str:
    """Require the system's Chromium; return its path."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next(filter(None, map(shutil.which, names)), None)
    need(path is not None, "no Chromium installed: apt-get install chromium")
    return str(path)


def need_firefox() -> str:
    """Require Firefox; return its path."""
    path = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
    need(path is not None, "no Firefox installed: apt-get install firefox-esr")
    return str(path)


def need_webkit() -> tuple[str, str]:
    """Require WebKitGTK's driver, its MiniBrowser and a virtual screen; return the first two."""
    driver = shutil.which("WebKitWebDriver")
    browsers = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    present = driver is not None and bool(browsers) and shutil.which("Xvfb") is not None
    need(present, "WebKitGTK or Xvfb is not installed: apt-get install webkit2gtk-driver xvfb")
    return str(driver), str(browsers[-1])
