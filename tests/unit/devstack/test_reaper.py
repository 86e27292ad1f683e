"""The reaper ends what a parent process has started, even when the parent is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from devstack.processes import ROOT
from devstack.reaper import GRACE_S
from tests.waiting import has_ended, until

# Starts a child that sleeps for an hour, watches it, prints its process id, and waits.
PARENT = """
import subprocess, sys, time
from devstack.reaper import reaper
child = subprocess.Popen(
    [sys.executable, "-c", sys.argv[1]], start_new_session=True, stdout=subprocess.PIPE
)
child.stdout.readline()
reaper().watch(child.pid)
if sys.argv[2] == "forget":
    reaper().forget(child.pid)
print(child.pid, flush=True)
sys.stdin.readline()
"""
ENDS_ON_SIGTERM = "import time; print(flush=True); time.sleep(3600)"
IGNORES_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + ENDS_ON_SIGTERM


@contextmanager
def parent(child: str, then: str = "watch") -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a parent process; yield it and the process id of its child."""
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


@pytest.mark.parametrize(
    "child", [ENDS_ON_SIGTERM, IGNORES_SIGTERM], ids=["ends-on-sigterm", "ignores-sigterm"]
)
async def test_a_watched_child_ends_when_its_parent_is_killed(child: str) -> None:
    with parent(child) as (process, pid):
        assert not has_ended(pid)

        process.kill()

        await until(lambda: has_ended(pid), "the child has ended", within_s=GRACE_S + 10)


async def test_a_watched_child_ends_when_its_parent_returns() -> None:
    with parent(ENDS_ON_SIGTERM) as (process, pid):
        process.communicate("return\n")

        await until(lambda: has_ended(pid), "the child has ended")


async def test_a_forgotten_child_is_not_ended() -> None:
    with parent(ENDS_ON_SIGTERM, "forget") as (process, pid):
        process.communicate("return\n")  # waits for the reaper as well

        assert not has_ended(pid)
        os.kill(pid, signal.SIGKILL)
