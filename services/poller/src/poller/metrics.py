"""What the poller counts, for Prometheus.

At rest `received = published + superseded + dead_lettered + retried`: every delivery ends in one.
"""

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
        self.retried = counter("retried", "Deliveries given back: the message comes again.")
        self.deleted = counter("deleted", "Deletions by how they ended.", "outcome")
        self.renewed = counter("lease_renewals", "Renewals of leases by outcome.", "outcome")
        self.polls = counter("polls", "Polls of the queue by what they found.", "found")
        self.failures = counter("queue_failures", "What the queue did not do.", "act", "kind")
        self.healed = counter("healed", "States published again because the broker had an older.")
        self.in_hand = Gauge(
            "pillowcast_poller_in_hand", "Messages received and not ended.", registry=self.registry
        )
        self.broker_up = Gauge(
            "pillowcast_poller_broker_up", "1 while the broker is there.", registry=self.registry
        )
        self.queue_up = Gauge(
            "pillowcast_poller_queue_up", "1 while the queue answers.", registry=self.registry
        )
        self.latency = Histogram(
            "pillowcast_poller_queued_to_published_seconds",
            "From a message's insertion in the queue to the broker's confirmation.",
            buckets=_SECONDS,
            registry=self.registry,
        )
