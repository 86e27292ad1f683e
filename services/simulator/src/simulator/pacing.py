"""Pacing: what is to be sent now, what is too late for that, and how long to wait.

Pure: the reports in order of their due time and the present time come in, a decision goes out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from simulator.reports import Report

LATE_S: Final = 1.0
"""How late a report may be; so after a stall no more than a second's worth goes out at once."""

MOST_AT_ONCE: Final = 1000
"""How many reports are sent together."""

MOST_SKIPPED_AT_ONCE: Final = 10_000
"""How many reports are passed over in one step: a step must not take long."""


@dataclass(frozen=True, slots=True)
class Step:
    """Send `due`, then wait; `skipped` reports were too late. `wait_s` None: there are no more."""

    due: tuple[Report, ...]
    skipped: int
    wait_s: float | None


class Pacer:
    """Goes through a stream of reports in step with the time."""

    def __init__(self, reports: Iterator[Report], *, may_skip: bool = True) -> None:
        self._reports = reports
        self._next = next(reports, None)
        self._may_skip = may_skip

    def step(self, now_s: float, at_most: int = MOST_AT_ONCE) -> Step:
        """Decide what to do `now_s` seconds after the start, sending `at_most` reports."""
        due: list[Report] = []
        skipped = 0
        while (
            self._next is not None
            and self._next.due_s <= now_s
            and len(due) < at_most
            and skipped < MOST_SKIPPED_AT_ONCE
        ):
            if self._may_skip and self._next.due_s < now_s - LATE_S:
                skipped += 1
            else:
                due.append(self._next)
            self._next = next(self._reports, None)
        wait_s = None if self._next is None else max(0.0, self._next.due_s - now_s)
        return Step(tuple(due), skipped, wait_s)
