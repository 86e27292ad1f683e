"""The reaper: ends the programs that a parent process has started, when the parent is killed.

A process that receives SIGKILL runs no clean-up, but the kernel closes its files. So this script
runs in a session of its own and reads a pipe that only the parent writes to: the process groups to
watch and to forget. The end of the pipe is the end of the parent; the groups that are still watched
are then ended.

One small process watches all children, and their children as well, which share their group.
PR_SET_PDEATHSIG would not reach grandchildren, and exists only on Linux. A child that was started
in the instant before the parent's death and not yet announced is not ended.

It uses the standard library only and is started with -I -S, because it must be ready within a few
milliseconds.
"""

import atexit
import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

GRACE_S = 3.0
"""Time between SIGTERM and SIGKILL for the orphaned processes."""


class Reaper:
    """The parent's side: starts the script and announces process groups to it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        atexit.register(self.close)

    def watch(self, group: int) -> None:
        """End this process group if the parent ends first."""
        self._write(f"watch {group}\n")

    def forget(self, group: int) -> None:
        """Stop watching a group that has ended, because its number may be used again."""
        self._write(f"forget {group}\n")

    def close(self) -> None:
        """End the script and the groups that are still watched."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()

    def _write(self, line: str) -> None:
        if self._process.stdin is None:
            return
        # A reaper that was killed is needed only if this process is killed as well.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()


@functools.cache
def reaper() -> Reaper:
    """Return the one reaper of this Python process; the first call starts it."""
    return Reaper()


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; return False when it has no process any more."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS raises the latter for a zombie.
        return False
    return True


def _end(groups: Iterable[int]) -> None:
    remaining = [group for group in groups if signal_group(group, signal.SIGTERM)]
    deadline = time.monotonic() + GRACE_S
    while remaining and time.monotonic() < deadline:
        time.sleep(0.05)
        remaining = [group for group in remaining if signal_group(group, 0)]
    for group in remaining:
        signal_group(group, signal.SIGKILL)


def main() -> None:
    """Read the groups to watch until the parent ends, then end those that remain."""
    watched: set[int] = set()
    for line in sys.stdin:
        verb, group = line.split()
        if verb == "watch":
            watched.add(int(group))
        else:
            watched.discard(int(group))
    _end(watched)


if __name__ == "__main__":
    main()
