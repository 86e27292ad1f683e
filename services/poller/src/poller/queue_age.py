"""How long the queue's oldest message has waited, and when that is published. Pure."""

from typing import Final

from contract.queue_report import QueueReport

INTERVAL_S: Final = 10.0
"""The least time between two publishes while messages wait."""

CROSSING_S: Final = 1.0
"""The least time between two publishes when waiting begins or ends, or the queue answers again."""

RENEWAL_S: Final = 86_400.0
"""After how long a report that has not changed is repeated, because the broker drops it in time."""


class QueueAge:
    """What was seen of the queue. Times are arguments, in seconds of one monotonic clock."""

    def __init__(self, now_s: float) -> None:
        self.page_waited_s = 0.0
        """How long the oldest message of the last page had waited."""
        self._answered_s = now_s
        self._page_took_s = 0.0

    def record_page(self, waited_s: float, now_s: float, took_s: float = 0.0) -> None:
        """Record a page by how long its oldest message had waited; 0 for an empty one.

        `took_s` is how long ago it was requested.
        """
        self.page_waited_s, self._answered_s, self._page_took_s = waited_s, now_s, took_s

    @property
    def received_until_s(self) -> float:
        """Until when what waited on the queue has been received, as the last page showed.

        A page tells nothing of the time after its request.
        """
        return self._answered_s - max(self.page_waited_s, self._page_took_s)

    def report(self, now_s: float, unsettled_s: float, *, answers: bool) -> QueueReport:
        """Return the report of now; `unsettled_s` is the age of the oldest message in flight.

        While the queue does not answer, a message may have waited since the last answer.
        """
        oldest_s = self.page_waited_s
        if not answers:
            oldest_s += max(0.0, now_s - self._answered_s)
        return QueueReport(int(max(oldest_s, unsettled_s)), answers)


class QueueReportSchedule:
    """What was published on the current connection to the broker, and when."""

    def __init__(self) -> None:
        self._published: QueueReport | None = None
        self._published_s = 0.0

    def forget(self) -> None:
        """Note that another connection has begun: the broker may have lost what was published."""
        self._published = None

    def record(self, report: QueueReport, now_s: float) -> None:
        """Note that a report was published."""
        self._published, self._published_s = report, now_s

    def is_due(self, report: QueueReport, now_s: float) -> bool:
        """Return whether a report is published now."""
        last = self._published
        if last is None:
            return True
        is_crossing = (report.oldest_s == 0) != (last.oldest_s == 0)
        if is_crossing or report.answers != last.answers:
            interval_s = CROSSING_S
        else:
            interval_s = RENEWAL_S if report == last else INTERVAL_S
        return now_s - self._published_s >= interval_s
