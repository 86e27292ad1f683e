"""The log lines of an outage of the broker."""

import re

import structlog

from runtime.mqtt.errors import BrokerUnusable

log = structlog.get_logger()


class OutageLog:
    """Logs an outage once, however many attempts fail, and each further reason from the broker."""

    def __init__(self) -> None:
        # Without numbers, because they differ between attempts that fail for one reason.
        self._logged: set[str] = set()

    def report(self, text: str, error: Exception, *, was_ready: bool) -> None:
        """Log a failed attempt, or the loss of a session that was ready, unless it was logged."""
        reason = re.sub(r"\d+", "0", text)
        if was_ready:
            self._logged = {reason}
            log.warning("broker lost; reconnecting", error=text)
        elif not self._logged or (isinstance(error, BrokerUnusable) and reason not in self._logged):
            self._logged.add(reason)
            log.warning("broker unavailable; retrying", error=text)
