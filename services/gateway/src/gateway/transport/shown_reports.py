"""Shown reports: when browsers showed a state, as some of them say; counted, never trusted.

A report takes part in one histogram, if its times can be right. However many come, a connection
and the gateway take only so many a second.
"""

from typing import Final, Protocol

from msgspec import UNSET
from prometheus_client import CollectorRegistry, Counter, Histogram

from contract.frames import Shown
from runtime.queue_aware_clock import Clock

MAX_AGE_MS: Final = 60_000
"""A longer time from the queue to the screen, or from there to here, is an error of a clock."""

MAX_AHEAD_MS: Final = 1_000
"""How far a time may be ahead, because the queue's is a whole second and others are estimates."""

MAX_PER_CONNECTION: Final = 2
"""How many reports of a connection count in a second; a client sends one."""

MAX_PER_S: Final = 50
"""How many reports of all connections count in a second."""


_OUTCOMES: Final = ("counted", "implausible", "unknown-time", "above-limit", "not-asked")


class ShownSpans(Protocol):
    """Records spans of states that were shown."""

    def shown(self, pillow: str, traceparent: str, shown_ms: int) -> None:
        """Record that a state was shown, at a time of the gateway's wall clock."""


class ShownReports:
    """Takes the reports of clients, where the gateway has asked for them."""

    def __init__(
        self,
        share: float,
        registry: CollectorRegistry,
        clock: Clock,
        spans: ShownSpans | None = None,
        *,
        max_per_s: int = MAX_PER_S,
    ) -> None:
        self._is_asked = share > 0
        self._clock = clock
        self._spans = spans
        self._max_per_s = max_per_s
        self._second = 0
        self._taken: dict[int, int] = {}  # in this second, by connection
        self._latency = Histogram(
            "pillowcast_gateway_queued_to_shown_seconds",
            "Time from a state's insertion into the queue until a browser that reports it has "
            "shown it, in the queue's time. Empty unless GATEWAY_SHOWN_SAMPLE is above 0.",
            buckets=(0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 30, 60),
            registry=registry,
        )
        self._reports = Counter(
            "pillowcast_gateway_shown_reports",
            "Reports of browsers that they showed a state, by what became of them.",
            ["outcome"],
            registry=registry,
        )
        for outcome in _OUTCOMES:
            self._reports.labels(outcome)

    def receive(self, connection: object, report: Shown) -> None:
        """Take a report of a connection, or ignore it; either is counted."""
        self._reports.labels(self._outcome(id(connection), report)).inc()

    def _outcome(self, connection: int, report: Shown) -> str:
        if not self._is_asked:
            return "not-asked"
        now = self._clock.read()
        if not self._has_room(connection, now.monotonic_ms // 1000):
            return "above-limit"
        if not -MAX_AHEAD_MS <= now.wall_ms - report.shown <= MAX_AGE_MS:
            return "implausible"
        outcome = self._observe(report, now.queue_offset_ms)
        if self._spans is not None and report.traceparent is not UNSET:
            self._spans.shown(report.pillow, report.traceparent, report.shown)
        return outcome

    def _observe(self, report: Shown, queue_offset_ms: int | None) -> str:
        if report.queued is UNSET or queue_offset_ms is None:
            return "unknown-time"
        took_ms = report.shown + queue_offset_ms - report.queued
        if not -MAX_AHEAD_MS <= took_ms <= MAX_AGE_MS:
            return "implausible"
        self._latency.observe(max(0, took_ms) / 1000)
        return "counted"

    def _has_room(self, connection: int, second: int) -> bool:
        if second != self._second:
            self._second = second
            self._taken.clear()
        taken = self._taken.get(connection, 0)
        if taken >= MAX_PER_CONNECTION or sum(self._taken.values()) >= self._max_per_s:
            return False
        self._taken[connection] = taken + 1
        return True
