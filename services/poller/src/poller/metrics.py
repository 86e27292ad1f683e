"""The poller's Prometheus metrics.

At any moment `received = published + superseded + dead_lettered + retried` + unsettled messages in
flight, because every delivery is settled exactly once.
"""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)


class PollerMetrics:
    """The metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter, gauge = self._counter, self._gauge

        self.received = counter("received", "Deliveries of messages from the queue.")
        self.published = counter("published", "Messages whose state the broker confirmed.")
        self.superseded = counter(
            "superseded", "Messages whose state, or a newer one, the broker had confirmed before."
        )
        self.dead_lettered = counter(
            "dead_lettered", "Messages copied to the poison queue, by reason.", "reason"
        )
        self.retried = counter(
            "retried", "Deliveries that another delivery of the same message settles or settled."
        )
        self._deleted = counter("deleted", "Deletions of settled messages by result.", "outcome")
        self.lease_renewals = counter("lease_renewals", "Lease renewals by result.", "outcome")
        self.polls = counter("polls", "Polls of the queue by what they returned.", "found")
        self.queue_failures = counter(
            "queue_failures", "Failed queue operations by operation and kind.", "act", "kind"
        )
        self.future_states = counter(
            "ahead", "States ignored on MQTT because their time is too far in the future."
        )
        self.republished = counter(
            "healed", "States published again because the broker held an older one or none."
        )
        self.overdue_requests = counter(
            "overdue_requests",
            "Requests for messages that took so long that the states of later ones left before.",
        )
        self.signs_of_life = counter(
            "signs_of_life",
            "Newest states published again because their pillow sends older ones.",
        )
        self._requests = counter(
            "requests", "Requests to the queue service by operation and result.", "act", "outcome"
        )
        # Looking up labels costs several times as much as counting, and there are a dozen values.
        self._deletion_counter = cache(self._deleted.labels)
        self._request_counter = cache(self._requests.labels)

        self.in_flight = gauge(
            "in_hand", "Messages in flight: received and not yet deleted or abandoned."
        )
        self.pillows = gauge("pillows", "Pillows whose newest states are remembered.")
        self.intake_limit = gauge(
            "in_hand_limit", "The most messages in flight: what half a lease can delete, or 256."
        )
        self.broker_up = gauge("broker_up", "1 while the broker is connected, else 0.")
        self.queue_up = gauge("queue_up", "0 during an outage of the queue, else 1.")
        self.queue_depth = gauge(
            "queue_depth", "Approximate number of messages in the queue, leased ones included."
        )
        self._define_limits()
        self._define_watching()
        self._define_journal()
        self._define_times()

    def count_deletion(self, result: str) -> None:
        """Count a deletion of a settled message by its result."""
        self._deletion_counter(result).inc()

    def count_request(self, operation: str, outcome: str) -> None:
        """Count a request to the queue service by its result."""
        self._request_counter(operation, outcome).inc()

    def _define_limits(self) -> None:
        self.too_large = self._counter(
            "too_large",
            "Newest states that were larger than the broker accepts, once a connection.",
        )
        self.forgotten_pillows = self._counter(
            "forgotten", "Pillows that were forgotten, or not remembered, above POLLER_MAX_PILLOWS."
        )

    def _define_watching(self) -> None:
        self.watching = self._gauge(
            "watching", "Clients that look, as gateways say; NaN while none says it."
        )
        self.wakes = self._counter(
            "wakes",
            "Wake hints, by where they came from.",
            "source",
        )
        self.ignored_gateways = self._counter(
            "ignored_gateways",
            "Messages of gateways that were ignored because too many are remembered.",
        )

    def _define_journal(self) -> None:
        self.journal_up = self._gauge(
            "journal_up", "1 while the journal is written, 0 while it fails or there is none."
        )
        self.journal_rows = self._counter("journal_rows", "States written to the journal.")
        self.journal_commit_s = Histogram(
            "pillowcast_poller_journal_commit_seconds",
            "Duration of a commit to the journal; it has the states of several messages.",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def _define_times(self) -> None:
        self.oldest_message_s = self._gauge(
            "oldest_message_seconds",
            "Time in the queue of the oldest message of the last page, by the queue's clock.",
        )
        self.clock_offset_s = self._gauge(
            "clock_offset_seconds",
            "This machine's clock minus the queue's; NaN until the queue has answered.",
        )
        self.attempts = Histogram(
            "pillowcast_poller_attempts",
            "Number of deliveries of a message so far, at each delivery.",
            buckets=(1, 2, 3, 5, 10, 100),
            registry=self.registry,
        )
        self.latency = Histogram(
            "pillowcast_poller_queued_to_published_seconds",
            "Time from a message's insertion in the queue to the broker's confirmation, by the "
            "queue's clock.",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"pillowcast_poller_{name}", help_text, labels, registry=self.registry)

    def _gauge(self, name: str, help_text: str) -> Gauge:
        return Gauge(f"pillowcast_poller_{name}", help_text, registry=self.registry)
