"""Limit reports: a log line when a limit of connections is reached, and not one a connection."""

from typing import Final

import structlog

from gateway.metrics import GatewayMetrics
from runtime.log_repeats import LogRepeats

REPEAT_S: Final = 60.0
"""The least time between two lines about a limit or a kind of refusal, in seconds."""

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


class LimitReports:
    """Counts each time that a limit is reached, and logs it once in REPEAT_S."""

    def __init__(self, metrics: GatewayMetrics) -> None:
        self._metrics = metrics
        self._repeats = LogRepeats(REPEAT_S)

    def reached(self, limit: str, size: float, effect: str) -> None:
        """Report that one more connection is above a limit; `effect` is what happens to one."""
        self._metrics.limit_reached.labels(limit).inc()
        if (repeats := self._repeats.due(limit)) is not None:
            log.warning(
                "connection limit reached",
                limit=limit,
                size=size,
                effect=effect,
                setting=_SETTINGS.get(limit, "none"),
                **repeats,
            )

    def out_of_files(self, connections: int) -> None:
        """Report that the process or the system has no descriptor for another connection."""
        if (repeats := self._repeats.due("open files")) is not None:
            log.error(
                "out of open files; new connections are closed unanswered",
                connections=connections,
                setting="ulimit -n, LimitNOFILE or GATEWAY_MAX_CONNECTIONS",
                **repeats,
            )
