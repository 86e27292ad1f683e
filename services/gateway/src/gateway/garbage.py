"""Garbage collection at moments that this module chooses.

What a closed connection, a message or a request leaves is freed at once, because on uvloop none of
it is a cycle; CPython's collector is for the exceptions to that.
By itself it scans all objects that are newer than its last run. It counts new objects less freed
ones, of any age (https://devguide.python.org/internals/garbage-collector/), so that it seldom ran
beside clients that come and go, and then took 20 ms for 25,000 objects in which it found nothing.
Here the newest are scanned often, so that they are few: after a thousand requests at once it was
80 ms in one piece.
"""

import asyncio
import gc
import time
from typing import Final

COLLECT_S: Final = 0.02
"""How often the objects that are new since the last time are scanned, in seconds. Without any it
takes 0.1 µs; in so short a time a thread makes objects for some 2 ms of it."""

QUIET_LOAD: Final = 0.5
"""The share of a processor's time that this thread uses below which a pause delays few."""

MANY_OBJECTS: Final = 200_000
"""How many objects become old before all are scanned in a quiet moment: some 50 MB, if all of them
are garbage and hold nothing large."""

MOST_OBJECTS: Final = 1_000_000
"""How many do before all are scanned at any load."""

LOAD_MEASURED: Final = 50
"""Over how many collections the load is measured: a second."""

FULL_S: Final = 60.0
"""The shortest time between two scans of all objects, in seconds, because one takes some 0.1 s for
10,000 clients."""


def is_full_due(old_objects: int, load: float, passed_s: float, full_s: float = FULL_S) -> bool:
    """Return whether to scan all objects now, and not only the newest.

    `old_objects` became old since the last time, which is `passed_s` ago and should be `full_s`;
    `load` is the share of a processor's time that this thread used lately.
    """
    enough = MANY_OBJECTS if load < QUIET_LOAD else MOST_OBJECTS
    return passed_s >= full_s and old_objects >= enough


def begin() -> None:
    """Let nothing be collected but by `collect_garbage`, and never what exists already."""
    gc.freeze()
    gc.disable()


async def collect_garbage(full_s: float = FULL_S) -> None:
    """Collect every COLLECT_S until cancelled, and all objects every `full_s` seconds at most."""
    old_objects, last_full_s = 0, time.monotonic()
    while True:
        began_s, began_cpu_s = time.monotonic(), time.thread_time()
        for _ in range(LOAD_MEASURED):
            await asyncio.sleep(COLLECT_S)
            # New objects less freed ones of any age, so that clients that come and go add little.
            old_objects += gc.get_count()[0]
            gc.collect(0)
        now_s = time.monotonic()
        load = (time.thread_time() - began_cpu_s) / (now_s - began_s)
        if is_full_due(old_objects, load, now_s - last_full_s, full_s):
            gc.collect()
            old_objects, last_full_s = 0, now_s
