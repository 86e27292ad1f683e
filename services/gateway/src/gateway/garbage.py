"""Garbage collection at moments that this module chooses.

What a closed connection, a message or a request leaves is freed at once, because on uvloop none of
it is a cycle; CPython's collector is for the exceptions to that.
By itself it scans all objects that are newer than its last run. It counts new objects less freed
ones, of any age (https://devguide.python.org/internals/garbage-collector/), so that it seldom ran
beside clients that come and go, and then took 20 ms for 25,000 objects in which it found nothing.
"""

import asyncio
import gc
import time
from typing import Final

CHECK_S: Final = 1.0
"""How often it is decided whether to collect, in seconds."""

QUIET_LOAD: Final = 0.5
"""The share of a processor's time that this thread uses below which a pause delays few."""

MANY_OBJECTS: Final = 20_000
"""How many new objects there are before a collection in a quiet moment, which takes some 2 ms."""

MOST_OBJECTS: Final = 200_000
"""How many there are before a collection at any load: some 50 MB, if all of them are garbage and
hold nothing large."""

FULL_EVERY: Final = 10
"""Each so many-th collection in a quiet moment is of all objects, whose time grows with the number
of clients; the others are of those that are new since the last one."""


def is_due(new_objects: int, load: float) -> bool:
    """Return whether to collect now.

    `new_objects` are those since the last collection, less those freed; `load` is the share of a
    processor's time that this thread used lately.
    """
    return new_objects >= (MANY_OBJECTS if load < QUIET_LOAD else MOST_OBJECTS)


def begin() -> None:
    """Let nothing be collected but by `collect_garbage`, and never what exists already."""
    gc.freeze()
    gc.disable()


async def collect_garbage(check_s: float = CHECK_S) -> None:
    """Collect when it is due, until cancelled; it is decided every `check_s` seconds."""
    before_s, before_cpu_s = time.monotonic(), time.thread_time()
    quiet = 0
    while True:
        await asyncio.sleep(check_s)
        now_s, cpu_s = time.monotonic(), time.thread_time()
        load = (cpu_s - before_cpu_s) / max(now_s - before_s, check_s)
        before_s, before_cpu_s = now_s, cpu_s
        if is_due(gc.get_count()[0], load):
            is_quiet = load < QUIET_LOAD
            quiet += is_quiet
            gc.collect(2 if is_quiet and quiet % FULL_EVERY == 0 else 1)
