"""The gateway's metrics, for Prometheus."""

import math
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class GatewayMetrics:
    """The gateway's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = Counter(
            "pillowcast_gateway_received",
            "MQTT messages received, by outcome.",
            ["outcome"],
            registry=self.registry,
        )
        self.expired = Counter(
            "pillowcast_gateway_expired",
            "Pillows that expired: removed, or sent as notconnected because they were silent.",
            registry=self.registry,
        )
        self.connections = Gauge(
            "pillowcast_gateway_connections",
            "Open client connections, by transport.",
            ["transport"],
            registry=self.registry,
        )
        self.refused = Counter(
            "pillowcast_gateway_refused",
            "Connections refused or closed by the gateway, by close code.",
            ["code"],
            registry=self.registry,
        )
        self.delivered = Counter(
            "pillowcast_gateway_delivered_updates",
            "Updates written to connections.",
            registry=self.registry,
        )
        self.conflated = Counter(
            "pillowcast_gateway_conflated",
            "Times a slow client was sent the newest states instead of every update.",
            registry=self.registry,
        )
        self.snapshots = Counter(
            "pillowcast_gateway_snapshots",
            "Snapshots sent, by whether the client resumed from a cursor.",
            ["recovered"],
            registry=self.registry,
        )
        self.pillows = Gauge("pillowcast_gateway_pillows", "Known pillows.", registry=self.registry)
        self._add_state_metrics()
        self._add_connection_metrics()

    def _add_state_metrics(self) -> None:
        self.forgotten = Counter(
            "pillowcast_gateway_forgotten",
            "Silent pillows that were removed: for a week, or to make room at GATEWAY_MAX_PILLOWS.",
            registry=self.registry,
        )
        self.clock_behind = Counter(
            "pillowcast_gateway_clock_behind",
            "States refused as older, of pillows whose clock is behind; each is a sign of life.",
            registry=self.registry,
        )
        self.queue_offset = Gauge(
            "pillowcast_gateway_queue_offset_seconds",
            "The queue's time minus the clock of this machine; NaN while it is unknown.",
            registry=self.registry,
        )
        self.history_bytes = Gauge(
            "pillowcast_gateway_history_bytes",
            "Memory that past states take, in bytes.",
            registry=self.registry,
        )
        self.broker_up = Gauge(
            "pillowcast_gateway_broker_up",
            "1 while the gateway is connected to the broker, else 0.",
            registry=self.registry,
        )
        self.latency = Histogram(
            "pillowcast_gateway_queued_to_sent_seconds",
            "Time from a state's insertion into the queue until it is published to clients, in the "
            "queue's time.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
            registry=self.registry,
        )

    def _add_connection_metrics(self) -> None:
        """Add those of the connection registry."""
        self.sockets = Gauge(
            "pillowcast_gateway_sockets",
            "Accepted sockets that are no client connections, by stage.",
            ["stage"],
            registry=self.registry,
        )
        self.connection_limit = Gauge(
            "pillowcast_gateway_connection_limit",
            "Limits of accepted sockets: of all, and by what they are used for.",
            ["limit"],
            registry=self.registry,
        )
        self.limit_reached = Counter(
            "pillowcast_gateway_connection_limit_reached",
            "Connections evicted, and connections and requests refused or delayed, by limit.",
            ["limit"],
            registry=self.registry,
        )
        self.subscription_bytes = Gauge(
            "pillowcast_gateway_subscription_bytes",
            "Memory that the names of pillows in the filters of all clients take, in bytes.",
            registry=self.registry,
        )
        self.requests_waiting = Gauge(
            "pillowcast_gateway_requests_waiting",
            "Handshakes and requests that wait for their turn.",
            registry=self.registry,
        )
        self.evicted = Counter(
            "pillowcast_gateway_evicted",
            "Connections closed to make room for others, by stage.",
            ["stage"],
            registry=self.registry,
        )
        self.stalled = Counter(
            "pillowcast_gateway_stalled_responses",
            "Responses ended because their client read nothing for GATEWAY_RESPONSE_TIMEOUT.",
            registry=self.registry,
        )
        self.silent = Gauge(
            "pillowcast_gateway_silent_clients",
            "Clients without a sign of life for 40 s; they read slowly, or not at all.",
            registry=self.registry,
        )
        self.dead = Counter(
            "pillowcast_gateway_dead_clients",
            "Clients that were closed because they gave no sign of life.",
            registry=self.registry,
        )
        self.out_of_files = Counter(
            "pillowcast_gateway_out_of_files",
            "Checks, four a second, that found no file descriptor for another connection.",
            registry=self.registry,
        )

        self._add_address_metrics()

    def _add_address_metrics(self) -> None:
        """Add those of the limits of addresses."""
        self.addresses = Gauge(
            "pillowcast_gateway_addresses",
            "Networks that are remembered because of their connections or their rates.",
            registry=self.registry,
        )
        self.address_limit = Gauge(
            "pillowcast_gateway_address_limit",
            "Limits of one address; 0 for none.",
            ["limit"],
            registry=self.registry,
        )
        self.address_limited = Counter(
            "pillowcast_gateway_address_limited",
            "Connections and requests above a limit of their address: refused with a reason, or "
            "closed at once.",
            ["limit", "effect"],
            registry=self.registry,
        )

    def observe(
        self,
        *,
        pillows: Callable[[], int],
        history_bytes: Callable[[], int],
        queue_offset_ms: Callable[[], int | None],
    ) -> None:
        """Read these gauges at each scrape, so that no change has to set them."""

        def queue_offset_s() -> float:
            offset_ms = queue_offset_ms()
            return math.nan if offset_ms is None else offset_ms / 1000

        self.queue_offset.set_function(queue_offset_s)
        self.pillows.set_function(pillows)
        self.history_bytes.set_function(history_bytes)
