"""The notifier's Prometheus metrics.

Labels have the names of rules and destinations, which are those of the rules file, and results that
are listed here; every counter begins with 0.
"""

from collections.abc import Callable, Sequence
from typing import Final

from prometheus_client import Histogram

from runtime.observed_counter import ObservedCounter
from runtime.service_metrics import ServiceMetrics

OUTCOMES: Final = (
    "state", "availability", "status", "queue", "dead-letter", "removed", "invalid", "ahead",
    "unknown-topic",
)  # fmt: skip
"""What becomes of an MQTT message."""

RESULTS: Final = ("2xx", "3xx", "4xx", "5xx", "other", "error")
"""How a request ends: the class of its status, or an error without one."""

_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 600, 3600, 86_400)


class NotifierMetrics(ServiceMetrics):
    """The metrics, in a registry of their own.

    At rest, for a destination since the start: what waited then + its decided events =
    delivered + dead letters + waiting.
    """

    def __init__(self, rules: Sequence[str] = (), destinations: Sequence[str] = ()) -> None:
        super().__init__("notifier")
        self.received = self.counter(
            "received", "MQTT messages by what became of them.", outcome=OUTCOMES
        )
        self.events = self.counter("events", "Events decided, by rule.", rule=rules)
        self.suppressed = self.counter(
            "suppressed_events",
            "Events that came sooner than at_most_every allows, by rule.",
            rule=rules,
        )
        self.attempts = self.counter(
            "attempts",
            "Requests by destination and result.",
            destination=destinations,
            outcome=RESULTS,
        )
        self.delivered = self.counter(
            "delivered_events", "Events delivered.", destination=destinations
        )
        self.dead_lettered = self.counter(
            "dead_lettered_events", "Events that became dead letters.", destination=destinations
        )
        self.lost = self.counter(
            "deleted_dead_letters", "Dead letters deleted above NOTIFIER_MAX_DEAD_LETTERS."
        )
        self.outbox_failures = self.counter("outbox_failures", "Failed writes of the outbox.")
        self.waiting = self.gauge(
            "waiting_events", "Events that wait for a destination.", "destination"
        )
        for destination in destinations:
            self.waiting.labels(destination)
        self.waiting_limit = self.gauge("waiting_events_limit", "The limit NOTIFIER_MAX_WAITING.")
        self.broker_up = self.gauge("broker_up", "1 while the broker is connected, else 0.")
        self.outbox_up = self.gauge("outbox_up", "1 while the outbox is written, 0 while it fails.")
        self.pillows = self.gauge("pillows", "Pillows that are known.")
        self.pillows_limit = self.gauge("pillows_limit", "The limit NOTIFIER_MAX_PILLOWS.")
        self.delivery_s = Histogram(
            "pillowcast_notifier_delivery_seconds",
            "Time from the decision to the delivery, while a notifier ran.",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def observe(
        self,
        *,
        pillows: Callable[[], int],
        forgotten: Callable[[], int],
        ignored: Callable[[], int],
    ) -> None:
        """Register what is read at each scrape."""
        self.pillows.set_function(pillows)
        ObservedCounter(
            "pillowcast_notifier_forgotten_pillows",
            "Pillows forgotten above NOTIFIER_MAX_PILLOWS.",
            forgotten,
            self.registry,
        )
        ObservedCounter(
            "pillowcast_notifier_ignored_pollers",
            "Messages of pollers that were ignored because too many are remembered.",
            ignored,
            self.registry,
        )
