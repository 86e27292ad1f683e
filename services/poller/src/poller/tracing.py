"""Spans of messages: from their receipt to their settlement, and of each publish.

A message's span is a child of the one that its `traceparent` names, and its state carries the span
on, in the field and in MQTT 5 as a user property. Imported only where traces are recorded.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from contract.messages import ParsedMessage, Rejection
from contract.topics import Topics
from contract.traces import parse_traceparent
from contract.updates import Update, traceparent_in, with_traceparent
from poller.consume.classify import AttemptsExhausted, Decision
from poller.consume.page_handler import PageHandler
from poller.in_flight import InFlight, InFlightMessage, Outcome
from poller.publish.mqtt_state_publisher import MqttStatePublisher
from runtime.error_text import brief_error
from runtime.tracing.tracer import Kind, Span, Ticks, Tracer, context_of, current, fail

_NS_PER_MS = 1_000_000


class MessageSpans:
    """The spans of the messages in flight, of which there are at most MAX_IN_FLIGHT.

    Their times are the queue's, like those of the hops.
    """

    def __init__(self, tracer: Tracer, topics: Topics, queue: str) -> None:
        self._tracer = tracer
        self._topics = topics
        self._queue = queue
        self._spans: dict[str, tuple[Span, Ticks]] = {}
        self._ticks: dict[int, Ticks] = {}  # by the id of a message's span

    @property
    def is_idle(self) -> bool:
        """Whether no message has a span."""
        return not (self._spans or self._ticks)

    def begin(self, message: InFlightMessage, decision: Decision) -> Span:
        """Begin the span of a message that was received."""
        body = message.delivery.body
        ticks = Ticks(message.polled_ms * _NS_PER_MS)
        state = decision.state if isinstance(decision, AttemptsExhausted) else decision
        traceparent = (
            state.traceparent if isinstance(state, ParsedMessage) else traceparent_in(body.text)
        )
        span = self._tracer.start(
            f"process {self._queue}",
            Kind.CONSUMER,
            parse_traceparent(traceparent),
            ticks.began_ns,
            {
                "messaging.system": "azure_queue_storage",
                "messaging.operation.type": "process",
                "messaging.destination.name": self._queue,
                "messaging.message.id": message.id,
                "pillowcast.attempts": body.attempts,
                "pillowcast.waited_ms": max(0, message.polled_ms - body.queued_us // 1000),
            },
        )
        if isinstance(state, ParsedMessage):
            span.set_attribute("pillowcast.pillow", state.pillow)
            span.set_attribute("pillowcast.state", state.state)
        rejection = decision if isinstance(decision, Rejection) else None
        if isinstance(decision, AttemptsExhausted):
            rejection = decision.rejection
        if rejection is not None:
            span.set_attribute("pillowcast.rejection", str(rejection.reason))
        self._spans[message.id] = span, ticks
        self._ticks[context_of(span).span_id] = ticks
        return span

    def end(self, message: InFlightMessage, outcome: Outcome) -> None:
        """End the span of a message that is settled."""
        found = self._spans.pop(message.id, None)
        if found is None:
            return  # only its deletion was missing
        span, ticks = found
        del self._ticks[context_of(span).span_id]
        span.set_attribute("pillowcast.outcome", str(outcome))
        if outcome is Outcome.DEAD_LETTERED:
            fail(span, "dead letter")
        span.end(ticks.now_ns())

    def publish(
        self, pillow: str, traceparent: str, send: Callable[[], "asyncio.Future[None]"]
    ) -> "asyncio.Future[None]":
        """Send a publish, and record it until the broker has confirmed it."""
        parent = parse_traceparent(traceparent)
        ticks = None if parent is None else self._ticks.get(parent.span_id)
        if ticks is None:
            return send()  # its message was abandoned
        topic = self._topics.state(pillow)
        span = self._tracer.start(
            f"publish {topic}",
            Kind.PRODUCER,
            parent,
            ticks.now_ns(),
            {
                "messaging.system": "mqtt",
                "messaging.operation.type": "send",
                "messaging.destination.name": topic,
            },
        )
        try:
            confirmed = send()
        except Exception as error:
            fail(span, brief_error(error))
            span.end(ticks.now_ns())
            raise
        confirmed.add_done_callback(partial(_end, span, ticks))
        return confirmed


def _end(span: Span, ticks: Ticks, done: "asyncio.Future[None]") -> None:
    error = None if done.cancelled() else done.exception()
    if error is not None:
        fail(span, brief_error(error))
    span.end(ticks.now_ns())


class TracedInFlight(InFlight):
    """Ends the span of each message that is settled."""

    def __init__(
        self,
        spans: MessageSpans,
        clock_ms: Callable[[], int],
        visibility_s: float,
        clock_s: Callable[[], float],
    ) -> None:
        super().__init__(clock_ms, visibility_s, clock_s)
        self.spans = spans

    def settle(self, message: InFlightMessage, outcome: Outcome) -> None:
        """Record the outcome of a message, also in its span."""
        super().settle(message, outcome)
        self.spans.end(message, outcome)


class TracedPageHandler(PageHandler):
    """Begins the span of each message, and lets its state carry it on; needs a TracedInFlight."""

    def _decide(self, message: InFlightMessage, decision: Decision) -> ParsedMessage | None:
        assert isinstance(self.in_flight, TracedInFlight), "messages without spans"
        span = self.in_flight.spans.begin(message, decision)
        with current(span):
            state = super()._decide(message, decision)
        return None if state is None else with_traceparent(state, str(context_of(span)))


class TracedStatePublisher(MqttStatePublisher):
    """Records each publish of a state that has a span; `spans` has to be set before `run`."""

    spans: MessageSpans

    def publish_state(self, update: Update, traceparent: str | None) -> "asyncio.Future[None]":
        """Publish a retained state; see MqttStatePublisher."""
        if traceparent is None:
            return super().publish_state(update, None)
        send = partial(super().publish_state, update, traceparent)
        return self.spans.publish(update.pillow, traceparent, send)
