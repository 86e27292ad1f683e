"""Wait for a condition with a deadline, instead of sleeping."""

import asyncio
import subprocess
import time
from collections.abc import Awaitable, Callable

POLL_S = 0.02


async def until(condition: Callable[[], bool], what: str, *, within_s: float = 40.0) -> None:
    """Return when the condition holds; after `within_s` fail with `what` was waited for."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:g} s: {what}")
        await asyncio.sleep(POLL_S)


async def eventually(
    condition: Callable[[], Awaitable[bool]], what: str, *, within_s: float = 40.0
) -> None:
    """Wait until a condition holds; fails with `what` after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not await condition():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        await asyncio.sleep(5 * POLL_S)


def has_ended(pid: int) -> bool:
    """Return whether a process does not exist any more, or is a zombie."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return state == "" or state.startswith("Z")


def descendants(pid: int) -> set[int]:
    """Return the process ids of all descendants of a process."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}
