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
import sys
import time
from typing import Final

COLLECT_S: Final = 0.02
"""How often the objects that are new since the last time are scanned, in seconds. Without new
objects a scan takes 0.1 µs; in 20 ms a busy thread makes as many as take some 2 ms."""

IDLE_S: Final = 0.2
"""The same while the thread has little to do: to wake it fifty times a second takes one per cent of
a processor."""

IDLE_LOAD: Final = 0.1
"""The share of a processor's time that this thread uses below which it has little to do."""

QUIET_LOAD: Final = 0.5
"""The share of a processor's time that this thread uses below which a pause delays few."""

MANY_BLOCKS: Final = 500_000
"""By how many blocks of memory the process grows before all objects are scanned in a quiet moment:
some 50 MB, if all of them are garbage and hold nothing large."""

MOST_BLOCKS: Final = 2_000_000
"""By how many it grows before they are scanned at any load."""

LOAD_S: Final = 1.0
"""Over how long the load is measured, in seconds."""

FULL_S: Final = 60.0
"""The shortest time between two scans of all objects, in seconds, because one takes some 0.1 s for
10,000 clients."""


def is_full_due(grown_blocks: int, load: float, passed_s: float, full_s: float = FULL_S) -> bool:
    """Return whether to scan all objects now, and not only the newest.

    The process has grown by `grown_blocks` since the last time, which is `passed_s` ago and should
    be `full_s`; `load` is the share of a processor's time that this thread used lately.
    """
    enough = MANY_BLOCKS if load < QUIET_LOAD else MOST_BLOCKS
    return passed_s >= full_s and grown_blocks >= enough


def begin() -> None:
    """Let nothing be collected but by `collect_garbage`, and never what exists already."""
    gc.freeze()
    gc.disable()


async def collect_garbage(full_s: float = FULL_S) -> None:
    """Collect until cancelled: new objects often, all of them every `full_s` seconds at most."""
    blocks, last_full_s = sys.getallocatedblocks(), time.monotonic()
    load = 1.0
    while True:
        began_s, began_cpu_s = time.monotonic(), time.thread_time()
        pause_s = IDLE_S if load < IDLE_LOAD else COLLECT_S
        for _ in range(round(LOAD_S / pause_s)):
            await asyncio.sleep(pause_s)
            gc.collect(0)
        now_s = time.monotonic()
        load = (time.thread_time() - began_cpu_s) / (now_s - began_s)
        # Collections of new objects alone count those that are alive, however short they live.
        grown_blocks = sys.getallocatedblocks() - blocks
        blocks += min(grown_blocks, 0)
        if is_full_due(grown_blocks, load, now_s - last_full_s, full_s):
            gc.collect()
            blocks, last_full_s = sys.getallocatedblocks(), now_s
