"""The notifier's Prometheus metrics. Rules and destinations are those of the rules file."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 600, 3600, 86_400)


class NotifierMetrics:
    """The metrics, in a registry of their own.

    At rest, for a destination since the start: what waited then + its decided events =
    delivered + dead letters + waiting.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = self._counter(
            "received", "MQTT messages by what became of them.", "outcome"
        )
        self.events = self._counter("events", "Events decided, by rule.", "rule")
        self.suppressed = self._counter(
            "suppressed", "Events that came sooner than at_most_every allows, by rule.", "rule"
        )
        self.attempts = self._counter(
            "attempts", "Requests by destination and result.", "destination", "result"
        )
        self.delivered = self._counter("delivered", "Events delivered.", "destination")
        self.dead_lettered = self._counter(
            "dead_lettered", "Events that became dead letters.", "destination"
        )
        self.lost = self._counter("lost", "Dead letters deleted above NOTIFIER_MAX_DEAD_LETTERS.")
        self.waiting = Gauge(
            "pillowcast_notifier_waiting",
            "Events that wait for a destination.",
            ("destination",),
            registry=self.registry,
        )
        self.delivery_s = Histogram(
            "pillowcast_notifier_delivery_seconds",
            "Time from the decision to the delivery, as far as this process measured it.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.broker_up = self._gauge("broker_up", "1 while the broker is connected, else 0.")
        self.outbox_up = self._gauge(
            "outbox_up", "1 while the outbox is written, 0 while it fails."
        )
        self.outbox_failures = self._counter("outbox_failures", "Failed writes of the outbox.")
        self.pillows = self._gauge("pillows", "Pillows that are known.")
        self.forgotten = self._gauge("forgotten", "Pillows forgotten above NOTIFIER_MAX_PILLOWS.")

    def create_labels(self, rules: list[str], destinations: list[str]) -> None:
        """Create the samples of each rule and destination, so that each begins with 0."""
        for rule in rules:
            self.events.labels(rule)
            self.suppressed.labels(rule)
        for destination in destinations:
            self.delivered.labels(destination)
            self.dead_lettered.labels(destination)
            self.waiting.labels(destination)

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"pillowcast_notifier_{name}", help_text, labels, registry=self.registry)

    def _gauge(self, name: str, help_text: str) -> Gauge:
        return Gauge(f"pillowcast_notifier_{name}", help_text, registry=self.registry)
