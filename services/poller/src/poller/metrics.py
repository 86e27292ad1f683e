"""The poller's Prometheus metrics.

At any moment `received = published + superseded + dead_lettered + retried` + unsettled messages in
flight, because every delivery is settled exactly once.
"""

import math
from functools import cache
from typing import Final

from contract.messages import Reason
from poller.presence_metrics import PresenceMetrics
from runtime.histogram import Histogram
from runtime.service_metrics import ServiceMetrics

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)

_DELETIONS: Final = ("deleted", "gone", "lease-lost", "failed", "expired")
_OPERATIONS: Final = ("receive", "delete", "renew", "release", "keep a dead letter")
_REQUESTS: Final = (*_OPERATIONS, "measure", "create")


class PollerMetrics(ServiceMetrics):
    """The metrics, in a registry of their own."""

    def __init__(self) -> None:
        super().__init__("poller")
        self.received = self.counter("received", "Deliveries of messages from the queue.")
        self.published = self.counter("published", "Messages whose state the broker confirmed.")
        self.superseded = self.counter(
            "superseded", "Messages whose state, or a newer one, the broker had confirmed before."
        )
        self.dead_lettered = self.counter(
            "dead_lettered",
            "Messages copied to the poison queue, by reason.",
            reason=Reason,
        )
        self.retried = self.counter(
            "retried", "Deliveries that another delivery of the same message settles or settled."
        )
        self._deleted = self.counter(
            "deleted", "Deletions of settled messages by result.", outcome=_DELETIONS
        )
        # Looking up labels costs several times as much as counting, and there are a dozen values.
        self._deletion_counter = cache(self._deleted.labels)
        self.in_flight = self.gauge(
            "in_flight", "Messages in flight: received and not yet deleted or abandoned."
        )
        self.unsettled = self.gauge(
            "unsettled", "Messages in flight that are not counted as one of the outcomes yet."
        )
        self._define_publishing()
        self._define_queue()
        self._define_limits()
        self._define_coordination()
        self.presence = PresenceMetrics(self.registry)
        self._define_watching()
        self._define_journal()
        self._define_times()

    def _define_publishing(self) -> None:
        self.broker_up = self.gauge("broker_up", "1 while the broker is connected, else 0.")
        self.future_states = self.counter(
            "future_states", "States ignored on MQTT because their time is too far in the future."
        )
        self.republished = self.counter(
            "republished", "States published again because the broker held an older one or none."
        )
        self.signs_of_life = self.counter(
            "signs_of_life",
            "Newest states published again because their pillow sends older ones.",
        )
        self.too_large = self.counter(
            "too_large_states",
            "Newest states that were larger than the broker accepts, once a connection.",
        )

    def _define_queue(self) -> None:
        self.queue_up = self.gauge(
            "queue_up", "0 during an outage of the queue, else 1; NaN until it was used."
        )
        self.queue_depth = self.gauge(
            "queue_depth",
            "Approximate number of messages in the queue, leased ones included; NaN while it is "
            "not known.",
        )
        self.poison_queue_depth = self.gauge(
            "poison_queue_depth",
            "Approximate number of dead letters in the poison queue, measured every five minutes; "
            "NaN while it is not known.",
        )
        for unknown in (self.queue_up, self.queue_depth, self.poison_queue_depth):
            unknown.set(math.nan)
        self.polls = self.counter(
            "polls",
            "Polls of the queue by what they returned.",
            found=("nothing", "some", "full"),
        )
        self.lease_renewals = self.counter(
            "lease_renewals", "Lease renewals by result.", outcome=("renewed", "lost")
        )
        self.queue_failures = self.counter(
            "queue_failures",
            "Failed queue operations by operation and kind.",
            operation=_OPERATIONS,
            kind=("unavailable", "denied"),
        )
        self._requests = self.counter(
            "requests",
            "Requests to the queue service by operation and result.",
            operation=_REQUESTS,
            outcome=("done", "unavailable", "denied"),
        )
        self._request_counter = cache(self._requests.labels)
        self.overdue_requests = self.counter(
            "overdue_requests",
            "Requests for messages that took so long that the states of later ones left before.",
        )

    def count_deletion(self, result: str) -> None:
        """Count a deletion of a settled message by its result."""
        self._deletion_counter(result).inc()

    def count_request(self, operation: str, outcome: str) -> None:
        """Count a request to the queue service by its result."""
        self._request_counter(operation, outcome).inc()

    def _define_limits(self) -> None:
        self.intake_limit = self.gauge(
            "in_flight_limit",
            "The most messages in flight: what half a lease can delete, or 256.",
        )
        self.blocked = self.gauge(
            "blocked_messages",
            "Messages in flight that the broker or the queue refuses again and again.",
        )
        self.blocked_limit = self.gauge(
            "blocked_messages_limit", "The most blocked messages in flight; others are hidden."
        )
        self.undeleted = self.gauge(
            "undeleted_messages",
            "Settled messages whose deletion failed, whose ids are remembered.",
        )
        self.undeleted_limit = self.gauge(
            "undeleted_messages_limit",
            "The most of these ids; a message of a forgotten one is published a second time.",
        )
        self.pillows = self.gauge("pillows", "Pillows whose newest states are remembered.")
        self.pillows_limit = self.gauge("pillows_limit", "The limit POLLER_MAX_PILLOWS.")
        self.forgotten_pillows = self.counter(
            "forgotten_pillows",
            "Pillows that were forgotten, or not remembered, above POLLER_MAX_PILLOWS.",
        )

    @property
    def superseded_so_far(self) -> int:
        """The value of the counter `superseded`."""
        return next(int(one.value) for one in next(iter(self.superseded.collect())).samples)

    def _define_coordination(self) -> None:
        self.active = self.gauge(
            "active",
            "1 while this poller may receive, 0 on standby and without a broker.",
        )
        self.takeovers = self.counter(
            "takeovers",
            "Times that this poller became active in place of another, by the reason.",
            reason=("silent", "released", "failing"),
        )
        self.takeover_superseded = self.counter(
            "takeover_superseded",
            "States superseded, for whatever reason, from a take-over until everything was settled "
            "that waited when the leases of the poller before had ended.",
        )

    def _define_watching(self) -> None:
        self.watching = self.gauge(
            "watching", "Clients that look, as gateways say; NaN while none says it."
        )
        self.wakes = self.counter(
            "wakes",
            "Wake hints, by where they came from.",
            source=("mqtt", "http"),
        )
        self.gateways = self.gauge("gateways", "Gateways whose messages are remembered.")
        self.gateways_limit = self.gauge("gateways_limit", "The most of these gateways.")
        self.ignored_gateways = self.counter(
            "ignored_gateways",
            "Messages of gateways that were ignored because too many are remembered.",
        )

    def _define_journal(self) -> None:
        self.journal_enabled = self.gauge(
            "journal_enabled", "1 if POLLER_JOURNAL is set, so that there is a journal, else 0."
        )
        self.journal_up = self.gauge(
            "journal_up", "1 while the journal is written, 0 while it fails or there is none."
        )
        self.journal_rows = self.counter("journal_rows", "States written to the journal.")
        self.journal_commit_s = Histogram(
            "pillowcast_poller_journal_commit_seconds",
            "Duration of a commit to the journal; it has the states of several messages.",
            _SECONDS,
            self.registry,
        )
        self.journal_free = self.gauge(
            "journal_disk_free_bytes",
            "Room that is left on the disk of the journal; NaN while it is not known.",
        )
        self.journal_size = self.gauge(
            "journal_disk_size_bytes", "Size of the disk of the journal; NaN while it is not known."
        )
        for unknown in (self.journal_free, self.journal_size):
            unknown.set(math.nan)

    def _define_times(self) -> None:
        self.oldest_message_s = self.gauge(
            "oldest_message_seconds",
            "Time in the queue of the oldest message of the last page, by the queue's clock.",
        )
        self.clock_offset_s = self.gauge(
            "clock_offset_seconds",
            "This machine's clock minus the queue's; NaN until the queue has answered.",
        )
        self.attempts = Histogram(
            "pillowcast_poller_attempts",
            "Number of deliveries of a message so far, at each delivery.",
            (1, 2, 3, 5, 10, 100),
            self.registry,
        )
        self.queued_to_published_s = Histogram(
            "pillowcast_poller_queued_to_published_seconds",
            "Time from a message's insertion in the queue to the broker's confirmation, by the "
            "queue's clock, which counts whole seconds.",
            _SECONDS,
            self.registry,
        )
        self.polled_to_published_s = Histogram(
            "pillowcast_poller_polled_to_published_seconds",
            "Time from a message's arrival at the poller to the broker's confirmation.",
            _SECONDS,
            self.registry,
        )
