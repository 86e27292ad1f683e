"""Export health: spans that cannot be sent are dropped, and their outage has a line at each end."""

import logging
import re
from collections.abc import Sequence
from functools import cache
from typing import Final

import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from runtime.clocks import monotonic_s
from runtime.error_text import MAX_ERROR_CHARACTERS, brief_error
from runtime.log_repeats import LogRepeats
from runtime.outage import Outage, Report

log = structlog.get_logger()

_SYSTEM_ERROR: Final = re.compile(r"\[Errno -?\d+\] [\w ,]+")
"""What matters in the text of an error that quotes another one, which quotes a third."""

_LIBRARIES: Final = ("opentelemetry", "azure.monitor.opentelemetry")


class LibraryRecords(logging.Handler):
    """Keeps the last thing that the library logged: why an export failed. It logs each attempt."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = "no reason was given"
        self.dropped = 0
        """How many spans were dropped before they could be sent."""
        self._repeats = LogRepeats()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record; report at once that spans are dropped before they could be sent."""
        text = " ".join(record.getMessage().split())
        if text.startswith("Queue full"):
            self.dropped += 1
            if (repeats := self._repeats.due("queue full")) is not None:
                log.warning(
                    "spans are dropped, because more are recorded than can be sent; trace a share "
                    "of the messages (OTEL_TRACES_SAMPLER)",
                    **repeats,
                )
            return
        if "due to timeout, max retries" in text:
            return  # each attempt before has said why
        found = _SYSTEM_ERROR.search(text)
        self.last = (found[0] if found else text)[:MAX_ERROR_CHARACTERS]


@cache
def watch_library() -> LibraryRecords:
    """Keep the library's records from the log, unless they are asked for by LOG_LEVEL."""
    records = LibraryRecords()
    for name in _LIBRARIES:
        logger = logging.getLogger(name)
        logger.addHandler(records)
        logger.propagate = logger.isEnabledFor(logging.DEBUG)
    return records


class MonitoredExporter(SpanExporter):
    """An exporter whose failures are one outage; the SDK calls it from its thread."""

    def __init__(self, name: str, exporter: SpanExporter, records: LibraryRecords) -> None:
        self._name = name
        self._exporter = exporter
        self._records = records
        self._outage = Outage()
        self.dropped = 0
        """How many spans could not be sent."""
        self._dropped_before = 0
        """How many of them before this outage."""
        self._is_closed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; those that cannot be sent are dropped, because nothing may wait for them."""
        try:
            result = self._exporter.export(spans)
        except Exception as error:
            self._records.last = brief_error(error)
            result = SpanExportResult.FAILURE
        if result is SpanExportResult.SUCCESS:
            self._on_sent()
        else:
            self._on_failed(len(spans))
        return result

    def shutdown(self) -> None:
        """Close the exporter, once."""
        if not self._is_closed:
            self._is_closed = True
            self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what the exporter has kept."""
        return self._exporter.force_flush(timeout_millis)

    @property
    def _lost(self) -> int:
        return self.dropped - self._dropped_before

    def _on_sent(self) -> None:
        now_s = monotonic_s()
        if self._outage.record_success(now_s):
            after_s = round(self._outage.lasted_s(now_s), 1)
            log.info("spans are sent again", exporter=self._name, after_s=after_s, lost=self._lost)
            self._dropped_before = self.dropped

    def _on_failed(self, spans: int) -> None:
        self.dropped += spans
        report = self._outage.record_failure(monotonic_s())
        if report is not Report.NOTHING:
            log.warning(
                "spans cannot be sent; they are dropped until they can",
                exporter=self._name,
                error=self._records.last,
                lost=self._lost,
            )
