"""The log lines of an outage of the broker."""

import asyncio
import re

import structlog

from runtime.broker_url import BrokerAddress
from runtime.mqtt.errors import BrokerUnusable
from runtime.outage import Outage, Report

log = structlog.get_logger()


class OutageLog:
    """Logs an outage once, however many attempts fail, and each further reason from the broker.

    An outage is over when the session has been ready for a while. A broker that is ready and lost
    again and again within that time has four lines: its first loss, `broker ready`, one that says
    that further losses are only counted, and one with their number at the end.
    """

    def __init__(self, broker: BrokerAddress) -> None:
        self._broker = str(broker)
        # Without numbers, because they differ between attempts that fail for one reason.
        self._logged: set[str] = set()
        self._outage = Outage()
        self._losses = 0
        """The losses of a session that was ready, in this outage."""
        self._end: asyncio.TimerHandle | None = None

    def report_ready(self) -> None:
        """Log that the session is ready, and the end of the outage when it has been for a while."""
        if self._losses < 2:
            log.info("broker ready", broker=self._broker)
        if not self._outage.is_over:
            loop = asyncio.get_running_loop()
            self._end = loop.call_later(self._outage.recovery_s, self._finish)

    def report(self, text: str, error: Exception, *, was_ready: bool) -> None:
        """Log a failed attempt, or the loss of a session that was ready, unless it was logged."""
        self.cancel()
        now_s = asyncio.get_running_loop().time()
        reason = re.sub(r"\d+", "0", text)
        report = self._outage.record_failure(now_s)
        if report is Report.FAILED:
            self._logged.clear()
            self._losses = 0
        self._losses += was_ready
        if was_ready and self._losses == 1:
            self._logged.add(reason)
            log.warning("broker lost; reconnecting", error=text)
        elif was_ready and self._losses == 2:
            log.warning(
                "broker lost again, soon after it was ready; reconnecting each time, and further "
                "losses are counted until the connection lasts",
                error=text,
                lasts_s=self._outage.recovery_s,
            )
        elif not self._logged or (isinstance(error, BrokerUnusable) and reason not in self._logged):
            self._logged.add(reason)
            log.warning("broker unavailable; retrying", error=text)
        elif report is Report.STILL_FAILS:
            log.warning("broker still fails; reconnecting", error=text, **self._fields(now_s))

    def cancel(self) -> None:
        """Log no end of the outage, because the connection has ended."""
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def _finish(self) -> None:
        self._end = None
        now_s = asyncio.get_running_loop().time()
        self._outage.end(now_s)
        if self._losses > 1:
            log.info("the connection to the broker lasts again", **self._fields(now_s))
        self._losses = 0

    def _fields(self, now_s: float) -> dict[str, float]:
        return {"after_s": round(self._outage.lasted_s(now_s), 1), "losses": self._losses}
