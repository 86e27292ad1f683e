"""What the poller counts, for Prometheus.

At rest `received = published + superseded + dead_lettered + retried`: every delivery ends in one.
"""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)


class PollerMetrics:
    """The poller's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, says: str, *labels: str) -> Counter:
            return Counter(f"pillowcast_poller_{name}", says, labels, registry=self.registry)

        self.received = counter("received", "Deliveries of messages from the queue.")
        self.published = counter("published", "Messages whose state the broker confirmed.")
        self.superseded = counter("superseded", "Messages older than what was published already.")
        self.dead_lettered = counter("dead_lettered", "Messages in the poison queue.", "reason")
        self.retried = counter(
            "retried", "Deliveries that their message did not end with: given back, or a repeat."
        )
        self.deleted = counter("deleted", "Deletions by how they ended.", "outcome")
        self.renewed = counter("lease_renewals", "Renewals of leases by outcome.", "outcome")
        self.polls = counter("polls", "Polls of the queue by what they found.", "found")
        self.failures = counter("queue_failures", "What the queue did not do.", "act", "kind")
        self.ahead = counter("ahead", "States on MQTT from the future, ignored.")
        self.healed = counter("healed", "States published again because the broker had an older.")
        self._requests = counter(
            "requests", "Requests to the queue service by how they ended.", "act", "outcome"
        )
        # Looking a label up costs several times the counting, and there are a dozen.
        self._requests_of = cache(self._requests.labels)

        def gauge(name: str, says: str) -> Gauge:
            return Gauge(f"pillowcast_poller_{name}", says, registry=self.registry)

        self.in_hand = gauge("in_hand", "Messages received and not ended.")
        self.broker_up = gauge("broker_up", "1 while the broker is there.")
        self.queue_up = gauge("queue_up", "1 while the queue answers.")
        self.depth = gauge(
            "queue_depth", "About how many messages the queue has, received ones included."
        )
        self.oldest_s = gauge(
            "oldest_message_seconds",
            "For how long the oldest message of the last page had waited, by the queue's clock.",
        )
        self.attempts = Histogram(
            "pillowcast_poller_attempts",
            "How often a message had been received, at each delivery.",
            buckets=(1, 2, 3, 5, 10, 100),
            registry=self.registry,
        )
        self.latency = Histogram(
            "pillowcast_poller_queued_to_published_seconds",
            "From a message's insertion in the queue to the broker's confirmation.",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def request_ended(self, act: str, outcome: str) -> None:
        """Count a request to the queue service."""
        self._requests_of(act, outcome).inc()
