"""The examination: all checks at once, each within a deadline, so that it ends whatever hangs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from ops.findings import Finding, Findings
from runtime.error_text import brief_error

DEADLINE_S: Final = 8.0
"""How long a check may take."""

Check = Callable[[Findings], Awaitable[None]]
"""Adds what it finds; what it has found before its deadline counts."""


async def examine(
    checks: Mapping[str, Check],
    on_done: Callable[[str], None] = lambda _area: None,
    deadline_s: float = DEADLINE_S,
) -> list[Finding]:
    """Run each check, and return the findings in the order of the checks."""
    areas = [Findings(area) for area in checks]
    tasks = [
        asyncio.ensure_future(_run(check, found, on_done, deadline_s))
        for check, found in zip(checks.values(), areas, strict=True)
    ]
    # Not gather, which would wait for a check that does not let itself be cancelled.
    await asyncio.wait(tasks, timeout=deadline_s + 0.5)
    for task, found in zip(tasks, areas, strict=True):
        if not task.done():
            _add_timeout(found, deadline_s)
    return [finding for found in areas for finding in found.list]


async def _run(
    check: Check, found: Findings, on_done: Callable[[str], None], deadline_s: float
) -> None:
    try:
        async with asyncio.timeout(deadline_s):
            await check(found)
    except TimeoutError:
        _add_timeout(found, deadline_s)
    except Exception as error:
        found.wrong("the check itself", brief_error(error), "report it, with this line")
    on_done(found.area)


def _add_timeout(found: Findings, deadline_s: float) -> None:
    found.wrong(
        "time",
        f"no answer from {found.asked or 'it'} within {deadline_s:g} s",
        "something accepts connections and stays silent: look at its log, its load and the network",
    )
