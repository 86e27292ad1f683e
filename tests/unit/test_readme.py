"""The README's line of Python."""

import re
import subprocess
import sys
import time

from azure_queue import development_account
from devstack import ports
from devstack.processes import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_without_a_queue_the_line_of_python_says_so_at_once() -> None:
    """The SDK's retries would take a minute, without a word."""
    [code] = re.findall(r"^\.venv/bin/python -c '(.*)'$", README, re.MULTILINE)
    nowhere = development_account.connection_string(ports.free())

    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code.replace("UseDevelopmentStorage=true", nowhere)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert "Connection refused" in done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert time.monotonic() - started < 30, "importing the SDK takes a second on an idle machine"


def test_the_table_names_every_port() -> None:
    """Those of scripts/dev, with their options."""
    table = README.split("| what | port |")[1].split("\n\n")[0]

    for name in ports.PURPOSES:
        assert f"--{name}-port`" in table
        assert f"| {getattr(ports.DEFAULT, name)} |" in table
