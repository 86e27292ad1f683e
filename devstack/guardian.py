"""Ends what a parent has started when the parent can no longer do it itself.

A parent that gets SIGKILL runs no clean-up, but the kernel closes its files. So this script, in a
session of its own, reads the far end of a pipe that only the parent writes to: process groups to
watch and to forget. The pipe's end is the parent's end, and what is still watched then is ended.
It is one small process for all children, it sees their children too (which share their group), and
it needs nothing of Linux: PR_SET_PDEATHSIG would neither reach grandchildren nor exist on macOS.
What it cannot see is a child started in the instant before the parent's death and not yet told.

Standard library only, and started with -I -S: it must be up in a few milliseconds.
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
"""How long the orphans have after SIGTERM."""


class Guardian:
    """The parent's side: starts the script and tells it what to watch."""

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
        self._tell(f"watch {group}\n")

    def forget(self, group: int) -> None:
        """The process group has ended; its number may soon be another's."""
        self._tell(f"forget {group}\n")

    def close(self) -> None:
        """Say goodbye; whatever is still watched is ended."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()

    def _tell(self, words: str) -> None:
        if self._process.stdin is None:
            return
        # A guardian that someone has killed is missed only if we are killed as well.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(words.encode())
            self._process.stdin.flush()


@functools.cache
def guardian() -> Guardian:
    """The one guardian of this Python process, started when it is first needed."""
    return Guardian()


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; False when no one is left in it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a zombie
        return False
    return True


def _end(groups: Iterable[int]) -> None:
    left = [group for group in groups if signal_group(group, signal.SIGTERM)]
    deadline = time.monotonic() + GRACE_S
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [group for group in left if signal_group(group, 0)]
    for group in left:
        signal_group(group, signal.SIGKILL)


def main() -> None:
    """Read what to watch until the parent's end, then end what is left."""
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
