"""Spans that cannot be sent: one outage, one line at each end, and nothing waits."""

import logging
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from structlog.testing import capture_logs

from runtime import log_repeats
from runtime.outage import RECOVERY_S
from runtime.tracing import export_health
from runtime.tracing.export_health import LibraryRecords, MonitoredExporter, watch_library
from tests.fakes.time import Time

BATCH = [ReadableSpan("a"), ReadableSpan("b")]


class Exporter(SpanExporter):
    """Does what a test says."""

    def __init__(self) -> None:
        self.fails: Exception | bool = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Fail, raise, or succeed."""
        if isinstance(self.fails, Exception):
            raise self.fails
        return SpanExportResult.FAILURE if self.fails else SpanExportResult.SUCCESS


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The monotonic clock, which stands still."""
    clock = Time()
    monkeypatch.setattr(export_health, "monotonic_s", clock)
    monkeypatch.setattr(log_repeats, "monotonic_s", clock)
    return clock


def test_an_outage_of_the_collector_is_two_lines(time: Time) -> None:
    """With the library's reason, and how many spans were lost."""
    exporter, records = Exporter(), LibraryRecords()
    monitored = MonitoredExporter("otlp", exporter, records)
    with capture_logs() as lines:
        monitored.export(BATCH)
        exporter.fails = True
        records.handle(logging.makeLogRecord({"msg": "no\nroute to %s", "args": ("host",)}))
        for _ in range(100):
            assert monitored.export(BATCH) is SpanExportResult.FAILURE
        exporter.fails = ValueError("odd")
        monitored.export(BATCH)
        exporter.fails = False
        time.now_s += RECOVERY_S
        assert monitored.export(BATCH) is SpanExportResult.SUCCESS
        monitored.export(BATCH)

    begin, end = lines
    assert begin["event"] == "spans cannot be sent; they are dropped until they can"
    assert (begin["exporter"], begin["error"], begin["lost"]) == ("otlp", "no route to host", 2)
    assert (end["event"], end["lost"], end["after_s"]) == ("spans are sent again", 202, RECOVERY_S)
    assert monitored.dropped == 202  # also after the outage: it is a counter


def test_the_reason_is_that_of_the_system_where_there_is_one() -> None:
    """And that of an attempt, not that there were several."""
    records = LibraryRecords()
    for text in (
        (
            'Transient error HTTPConnectionPool(host="h"): Max retries exceeded (Caused by '
            'NewConnectionError("Failed to establish: [Errno 111] Connection refused")) encountered'
        ),
        "Failed to export spans batch due to timeout, max retries or shutdown.",
    ):
        records.handle(logging.makeLogRecord({"msg": text}))

    assert records.last == "[Errno 111] Connection refused"


def test_a_full_queue_of_spans_is_a_line_of_its_own(time: Time) -> None:
    """It says what to do, seldom."""
    records = LibraryRecords()
    full = logging.makeLogRecord({"msg": "Queue full, dropping %s.", "args": ("Span",)})
    with capture_logs() as lines:
        for _ in range(5):
            records.handle(full)
        time.now_s += log_repeats.REPEAT_S
        records.handle(full)

    assert [line.get("repeats") for line in lines] == [None, 4]
    assert "OTEL_TRACES_SAMPLER" in lines[0]["event"]
    assert records.dropped == 6


def test_what_the_library_logs_is_kept_from_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """It logs every attempt; what it said last is the reason of an outage."""
    records = watch_library()
    logging.getLogger("opentelemetry.exporter").error("code %d", 503)

    assert records.last == "code 503"
    assert caplog.records == []
    assert watch_library() is records


def test_the_exporter_is_flushed_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the SDK, through the monitor."""
    closed = []
    exporter = Exporter()
    monkeypatch.setattr(exporter, "shutdown", lambda: closed.append("shutdown"))
    monitored = MonitoredExporter("otlp", exporter, LibraryRecords())

    monkeypatch.setattr(exporter, "force_flush", lambda _timeout: True)

    assert monitored.force_flush()
    monitored.shutdown()
    monitored.shutdown()
    assert closed == ["shutdown"]
