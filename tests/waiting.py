"""Waiting for something to become so, with a deadline instead of a sleep."""

import asyncio
import subprocess
import time
from collections.abc import Callable

POLL_S = 0.02


async def until(condition: Callable[[], bool], what: str, *, within_s: float = 10.0) -> None:
    """Return when the condition holds; fail with `what` was waited for if it does not in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:g} s: {what}")
        await asyncio.sleep(POLL_S)


def has_ended(pid: int) -> bool:
    """Say whether a process is gone, or only waits for someone to ask how it ended."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return state == "" or state.startswith("Z")


def descendants(pid: int) -> set[int]:
    """Every process that a process has started, and theirs."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}
