"""Limit reports: a log line when a limit of connections is reached, and not one a connection."""

import time
from typing import Final

import structlog

from gateway.metrics import GatewayMetrics

REPEAT_S: Final = 60.0
"""The least time between two lines of the same kind, in seconds."""

log = structlog.get_logger()

_SETTINGS: Final = {
    "total": "GATEWAY_MAX_CONNECTIONS and the limit of open files",
    "clients": "GATEWAY_MAX_BROWSERS and the limit of open files",
    "pending": "GATEWAY_MAX_PENDING",
    "idle": "GATEWAY_MAX_IDLE",
    "requests": "GATEWAY_MAX_REQUESTS",
    "request": "GATEWAY_REQUEST_TIMEOUT",
    "message": "GATEWAY_MESSAGE_TIMEOUT",
    "headers": "GATEWAY_MAX_HEADERS",
    "header-bytes": "GATEWAY_MAX_HEADER_BYTES",
    "query-fields": "GATEWAY_MAX_QUERY_FIELDS",
    "subscriptions": "GATEWAY_SUBSCRIPTION_BYTES",
    "request-cpu": "GATEWAY_REQUEST_CPU_SHARE",
}


class ReportInterval:
    """Decides when the next line of a kind may be written: REPEAT_S after the last one."""

    def __init__(self) -> None:
        self._logged_s: dict[str, float] = {}

    def is_due(self, kind: str) -> bool:
        """Return whether a line has to be written now."""
        now_s = time.monotonic()
        if now_s - self._logged_s.get(kind, -REPEAT_S) < REPEAT_S:
            return False
        self._logged_s[kind] = now_s
        return True


class LimitReports:
    """Counts each time that a limit is reached, and logs it once in REPEAT_S."""

    def __init__(self, metrics: GatewayMetrics) -> None:
        self._metrics = metrics
        self._interval = ReportInterval()

    def reached(self, limit: str, size: float, effect: str) -> None:
        """Report that one more connection is above a limit; `effect` is what happens to one."""
        self._metrics.limit_reached.labels(limit).inc()
        if self._interval.is_due(limit):
            log.warning(
                "connection limit reached",
                limit=limit,
                size=size,
                effect=effect,
                setting=_SETTINGS.get(limit, "none"),
            )

    def out_of_files(self, connections: int) -> None:
        """Report that the process or the system has no descriptor for another connection."""
        if self._interval.is_due("open files"):
            log.error(
                "out of open files; new connections are closed unanswered",
                connections=connections,
                setting="ulimit -n, LimitNOFILE or GATEWAY_MAX_CONNECTIONS",
            )
