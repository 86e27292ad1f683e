"""Spans of states: from their arrival until clients have them, and until a browser showed them.

A state's span is a child of the one that its `traceparent` names. Imported only where traces are
recorded.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from contract.topics import Topics
from contract.traces import TraceContext, parse_traceparent
from contract.updates import Update, traceparent_in
from gateway.fanout.dispatcher import Dispatcher
from gateway.metrics import GatewayMetrics
from gateway.state.mqtt_consumer import MqttConsumer
from gateway.state.presence import PresenceTracker, Received
from gateway.state.state_store import StateStore
from runtime.mqtt import Message, user_property
from runtime.queue_aware_clock import Clock
from runtime.tracing.tracer import Kind, Span, Ticks, Tracer, context_of, current

MAX_RECENT: Final = 4096
"""How many states are remembered for which browsers may report that they showed them."""

_NS_PER_MS: Final = 1_000_000


class StateSpans:
    """The spans of states that wait for a flush, and of the last ones that were sent."""

    def __init__(self, tracer: Tracer, clock: Clock) -> None:
        self._tracer = tracer
        self._clock = clock
        self._waiting: list[tuple[Span, Ticks]] = []
        # By pillow and traceparent: what names the state's span, and when it began.
        self._recent: OrderedDict[tuple[str, str], tuple[TraceContext, int]] = OrderedDict()

    def begin(self, message: Message, update: Update) -> Span:
        """Begin the span of a state that arrived; a property is newer than the field."""
        topic, traceparent = message.topic, traceparent_in(update.payload)
        passed_on = user_property(message.properties, "traceparent") or traceparent
        ticks = Ticks(self._now_ms() * _NS_PER_MS)
        span = self._tracer.start(
            f"process {topic}",
            Kind.CONSUMER,
            parse_traceparent(passed_on),
            ticks.began_ns,
            {
                "messaging.system": "mqtt",
                "messaging.operation.type": "process",
                "messaging.destination.name": topic,
                "pillowcast.pillow": update.pillow,
                "pillowcast.state": update.state,
            },
        )
        self._waiting.append((span, ticks))
        if span.is_recording() and traceparent is not None:
            self._recent[update.pillow, traceparent] = context_of(span), ticks.began_ns
            if len(self._recent) > MAX_RECENT:
                self._recent.popitem(last=False)
        return span

    def end(self, clients: int) -> None:
        """End the spans of the states that were sent with a flush."""
        waiting, self._waiting = self._waiting, []
        for span, ticks in waiting:
            span.set_attribute("pillowcast.clients", clients)
            span.end(ticks.now_ns())

    def shown(self, pillow: str, traceparent: str, shown_ms: int) -> None:
        """Record that a browser showed a state, at a time of the gateway's wall clock.

        A trace that no state of this gateway had is not one that a browser can add to.
        """
        found = self._recent.get((pillow, traceparent))
        if found is None:
            return
        context, began_ns = found
        shown_ns = (shown_ms + (self._clock.read().queue_offset_ms or 0)) * _NS_PER_MS
        span = self._tracer.start(
            "shown",
            Kind.CLIENT,
            context,
            min(began_ns, shown_ns),
            {"pillowcast.pillow": pillow},
        )
        span.end(max(began_ns, shown_ns))

    def _now_ms(self) -> int:
        now = self._clock.read()
        return now.wall_ms if now.queue_ms is None else now.queue_ms


class TracedDispatcher(Dispatcher):
    """Ends the spans of states when a flush has sent them."""

    def __init__(
        self,
        store: StateStore,
        metrics: GatewayMetrics,
        clock: Clock,
        on_first_or_last: Callable[[], None],
        spans: StateSpans,
    ) -> None:
        super().__init__(store, metrics, clock, on_first_or_last)
        self.spans = spans

    def _go_on(self) -> None:
        self.spans.end(self.subscriber_count())
        super()._go_on()


class TracedConsumer(MqttConsumer):
    """Begins the span of each state that is new, and makes it the current one meanwhile."""

    def __init__(
        self,
        presence: PresenceTracker,
        publisher: TracedDispatcher,
        topics: Topics,
        metrics: GatewayMetrics,
        clock: Clock,
    ) -> None:
        super().__init__(presence, publisher, topics, metrics, clock)
        self._spans = publisher.spans

    def _handle(self, received: Received, update: Update, message: Message) -> None:
        if message.retained or received.outcome != "taken":
            super()._handle(received, update, message)
            return
        with current(self._spans.begin(message, update)):
            super()._handle(received, update, message)
