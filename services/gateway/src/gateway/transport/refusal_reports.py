"""Refusal reports: a log line for each kind of refusal, and not one for each client."""

from collections import deque
from typing import Final, NamedTuple

import structlog

from contract.frames import FULL
from gateway.metrics import GatewayMetrics
from gateway.transport.admission import Refusal
from gateway.transport.limit_reports import REPEAT_S
from runtime.clocks import unix_ms
from runtime.log_repeats import LogRepeats

log = structlog.get_logger()

MAX_RECENT: Final = 64
"""How many refusals are kept for operators."""


class RecentRefusal(NamedTuple):
    """A refusal and when it was, in Unix milliseconds."""

    at_ms: int
    refusal: Refusal


class RefusalReports:
    """Counts each refusal by its close code, and logs the first of each code in an interval."""

    def __init__(self, metrics: GatewayMetrics) -> None:
        self._metrics = metrics
        self._repeats = LogRepeats(REPEAT_S)
        self.recent: deque[RecentRefusal] = deque(maxlen=MAX_RECENT)
        """The last refusals, the oldest first."""

    def refused(self, refusal: Refusal) -> None:
        """Report a client that was refused, or closed because of what it sent."""
        code = refusal.code
        self._metrics.refused.labels(str(code)).inc()
        self.recent.append(RecentRefusal(unix_ms(), refusal))
        if code == FULL:
            return  # limit_reports has a line about that
        if (repeats := self._repeats.due(str(code))) is not None:
            log.warning(
                "a client was refused",
                code=code,
                reason=refusal.reason,
                **({} if refusal.peer is None else {"peer": refusal.peer}),
                **repeats,
            )
