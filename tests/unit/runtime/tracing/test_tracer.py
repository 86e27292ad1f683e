"""The tracer on the SDK, with spans that are kept in memory."""

import io
import json

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from contract.traces import TraceContext
from runtime.logs import configure_logs
from runtime.tracing.tracer import Kind, Ticks, Tracer, context_of, current, fail


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """What keeps the spans."""
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter: InMemorySpanExporter) -> Tracer:
    """A tracer that records everything."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Tracer(provider.get_tracer("tests"))


def test_a_span_is_below_its_parent_at_the_given_times(
    tracer: Tracer, exporter: InMemorySpanExporter
) -> None:
    """The parent may be another process's."""
    parent = TraceContext(7, 5, 1)
    span = tracer.start("process", Kind.CONSUMER, parent, 1_000, {"pillow": "a"})
    fail(span, "why")
    span.end(2_000)

    (found,) = exporter.get_finished_spans()
    assert found.parent is not None
    assert (found.parent.trace_id, found.parent.span_id) == (7, 5)
    assert (found.start_time, found.end_time, found.attributes) == (1_000, 2_000, {"pillow": "a"})
    assert (found.status.status_code, found.status.description) == (StatusCode.ERROR, "why")
    assert context_of(span) == TraceContext(7, found.context.span_id, 1)


def test_a_span_without_a_parent_begins_a_trace_and_an_untraced_parent_is_followed(
    tracer: Tracer, exporter: InMemorySpanExporter
) -> None:
    """The context of one that is not recorded can be passed on all the same."""
    root = tracer.start("process", Kind.CONSUMER, None, 1, {})
    quiet = tracer.start("process", Kind.CONSUMER, TraceContext(7, 5, 0), 1, {})
    for span in (root, quiet):
        span.end(2)

    assert context_of(root).trace_id not in (0, 7)
    assert (context_of(quiet).trace_id, context_of(quiet).flags & 1) == (7, 0)
    assert [span.context.trace_id for span in exporter.get_finished_spans()] == [
        context_of(root).trace_id
    ]


def test_lines_of_the_log_have_the_ids_of_the_current_span(tracer: Tracer) -> None:
    """And only those within."""
    stream = io.StringIO()
    configure_logs("poller", level="info", style="json", stream=stream)
    log = structlog.get_logger()
    span = tracer.start("process", Kind.CONSUMER, TraceContext(7, 5, 1), 1, {})
    with current(span):
        log.info("inside")
    log.info("outside")

    inside, outside = map(json.loads, stream.getvalue().splitlines())
    assert inside["trace_id"] == f"{7:032x}"
    assert inside["span_id"] == f"{context_of(span).span_id:016x}"
    assert "trace_id" not in outside


@given(st.integers(0, 4_102_444_800_000_000_000))
def test_ticks_never_go_back(began_ns: int) -> None:
    """Whatever the clock that gave the beginning does."""
    ticks = Ticks(began_ns)

    times = [ticks.now_ns() for _ in range(5)]

    assert began_ns <= times[0]
    assert times == sorted(times)
    assert times[-1] - began_ns < 60_000_000_000
