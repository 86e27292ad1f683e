"""Page handler: what happens to each message of a received page."""

from contract.messages import ParsedMessage, Rejection
from poller.consume.classify import ClassificationRules, Decision, classify
from poller.in_flight import InFlight, InFlightMessage, Outcome
from poller.metrics import PollerMetrics
from poller.publish.page_publisher import PagePublisher
from poller.queues import ReceivedMessage
from poller.settle.settlement import Settlement


class PageHandler:
    """Adds received messages to the window, and publishes or settles each."""

    def __init__(
        self,
        in_flight: InFlight,
        publisher: PagePublisher,
        settlement: Settlement,
        metrics: PollerMetrics,
        rules: ClassificationRules,
    ) -> None:
        self.in_flight = in_flight
        self._publisher = publisher
        self._settlement = settlement
        self._metrics = metrics
        self._rules = rules

    def begin_request(self) -> int:
        """Record that a page is requested; returns the request's number."""
        return self._publisher.begin()

    def fail_request(self, request: int) -> None:
        """Record that a request ended without a page."""
        self._publisher.fail(request)

    def accept(self, request: int, page: list[ReceivedMessage]) -> None:
        """Handle the page of a request; its states are published each pillow's oldest first."""
        self._metrics.received.inc(len(page))
        states: list[tuple[InFlightMessage, ParsedMessage]] = []
        for delivery in page:
            self._metrics.attempts.observe(delivery.body.attempts)
            known = self.in_flight.get(delivery.id)
            if known is not None:
                self.in_flight.redeliver(known, delivery)
                self._metrics.retried.inc()
                self._settlement.on_redelivered(known)
                continue
            message = self.in_flight.add(delivery)
            state = self._state_to_publish(message)
            if state is not None:
                states.append((message, state))
        self._publisher.publish(request, states)

    def _state_to_publish(self, message: InFlightMessage) -> ParsedMessage | None:
        """Return the state of a message to publish; every other message is settled here."""
        if message.settled_before:
            # Only its deletion is missing.
            self._settlement.complete(message, Outcome.RETRIED)
            return None
        return self._decide(message, classify(message.delivery.body, self._rules))

    def _decide(self, message: InFlightMessage, decision: Decision) -> ParsedMessage | None:
        """Return the state to publish; settle every other message."""
        if isinstance(decision, ParsedMessage):
            return decision
        if isinstance(decision, Rejection):
            self._settlement.dead_letter(message, decision)
        elif not self._publisher.supersede(message, decision.state):
            self._settlement.dead_letter(message, decision.rejection)
        return None
