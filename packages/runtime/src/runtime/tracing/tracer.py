"""The tracer: begins spans below a trace context, at times of the queue's clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
    use_span,
)
from opentelemetry.trace import Span as Span
from opentelemetry.trace import Tracer as OtelTracer

from contract.traces import TraceContext

Kind = SpanKind


class Tracer:
    """Begins spans."""

    def __init__(self, tracer: OtelTracer) -> None:
        self._tracer = tracer

    def start(
        self,
        name: str,
        kind: SpanKind,
        parent: TraceContext | None,
        start_ns: int,
        attributes: dict[str, str | int],
    ) -> Span:
        """Begin a span below `parent`, which another process may have; a trace of its own if None.

        Whether it is recorded is the sampler's decision.
        """
        context = Context() if parent is None else _context_of(parent)
        return self._tracer.start_span(
            name, context, kind=kind, attributes=attributes, start_time=start_ns
        )


def context_of(span: Span) -> TraceContext:
    """Return what names a span to others."""
    found = span.get_span_context()
    return TraceContext(found.trace_id, found.span_id, int(found.trace_flags))


def fail(span: Span, reason: str) -> None:
    """Mark a span as failed."""
    span.set_status(Status(StatusCode.ERROR, reason))


@contextmanager
def current(span: Span) -> Iterator[None]:
    """Make a span the current one: lines of the log have its ids."""
    with use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
        yield


class Ticks:
    """Nanoseconds since a moment, by a clock that nobody sets: no span ends before it began.

    The moment is in Unix nanoseconds, and may come from a clock that has milliseconds.
    """

    __slots__ = ("_began_ticks", "began_ns")

    def __init__(self, began_ns: int) -> None:
        self.began_ns = began_ns
        self._began_ticks = time.perf_counter_ns()

    def now_ns(self) -> int:
        """Return the time in Unix nanoseconds."""
        return self.began_ns + time.perf_counter_ns() - self._began_ticks


def _context_of(parent: TraceContext) -> Context:
    remote = SpanContext(parent.trace_id, parent.span_id, True, TraceFlags(parent.flags))
    return set_span_in_context(NonRecordingSpan(remote), Context())
