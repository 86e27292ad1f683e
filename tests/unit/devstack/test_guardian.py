"""What a parent has started ends with it, even when it is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from devstack.guardian import GRACE_S
from devstack.processes import ROOT
from tests.waiting import has_ended, until

# Starts a child that would wait for an hour, has it watched, says its number, and waits as well.
PARENT = """
import subprocess, sys, time
from devstack.guardian import guardian
child = subprocess.Popen(
    [sys.executable, "-c", sys.argv[1]], start_new_session=True, stdout=subprocess.PIPE
)
child.stdout.readline()
guardian().watch(child.pid)
if sys.argv[2] == "forget":
    guardian().forget(child.pid)
print(child.pid, flush=True)
sys.stdin.readline()
"""
POLITE = "import time; print(flush=True); time.sleep(3600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + POLITE


@contextmanager
def parent(child: str, then: str = "watch") -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A parent process and the number of its child."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, child, then],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.parametrize("child", [POLITE, STUBBORN], ids=["polite", "ignores-sigterm"])
async def test_a_watched_child_ends_after_its_parent_was_killed(child: str) -> None:
    with parent(child) as (process, pid):
        assert not has_ended(pid)

        process.kill()

        await until(lambda: has_ended(pid), "the child has ended", within_s=GRACE_S + 10)


async def test_a_watched_child_ends_after_its_parent_returned() -> None:
    with parent(POLITE) as (process, pid):
        process.communicate("return\n")

        await until(lambda: has_ended(pid), "the child has ended")


async def test_a_forgotten_child_is_left_alone() -> None:
    with parent(POLITE, "forget") as (process, pid):
        process.communicate("return\n")  # waits for the guardian, too

        assert not has_ended(pid)
        os.kill(pid, signal.SIGKILL)
