"""The examination ends whatever hangs, and each check counts as far as it came."""

import asyncio
import contextlib
import threading
import time

from ops.doctor.examination import examine
from ops.findings import Findings, Level, exit_status


async def fine(found: Findings) -> None:
    found.ok("it", "works")


async def hanging(found: Findings) -> None:
    found.ok("first", "came")
    found.asked = "mqtt://b"
    await asyncio.Event().wait()


async def broken(_found: Findings) -> None:
    raise KeyError("surprise")


async def test_it_ends_at_the_deadline_with_what_was_found_before() -> None:
    released = threading.Event()

    async def stubborn(_found: Findings) -> None:
        while not released.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.to_thread(released.wait, 30)

    done: list[str] = []
    started = time.monotonic()
    found = await examine(
        {"a": fine, "b": hanging, "c": broken, "d": stubborn}, done.append, deadline_s=0.2
    )
    lasted_s = time.monotonic() - started
    released.set()

    assert lasted_s < 5
    assert [(one.area, one.name, str(one.level)) for one in found] == [
        ("a", "it", "ok"),
        ("b", "first", "ok"),
        ("b", "time", "wrong"),
        ("c", "the check itself", "wrong"),
        ("d", "time", "wrong"),
    ]
    assert found[2].detail == "no answer from mqtt://b within 0.2 s"
    assert "KeyError: 'surprise'" in found[3].detail
    assert done[:2] == ["a", "c"]


def test_the_exit_status_says_whether_something_is_wrong() -> None:
    found = Findings("a")
    found.ok("x", "")
    found.note("x", "")
    found.unknown("x", "")
    assert exit_status(found.list) == 0
    found.wrong("x", "")
    assert exit_status(found.list) == 1
    assert {one.level for one in found.list} == set(Level)
