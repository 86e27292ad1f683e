"""What the gateway counts, for Prometheus."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class GatewayMetrics:
    """The gateway's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = Counter(
            "pillowcast_gateway_received",
            "MQTT messages by what became of them.",
            ["outcome"],
            registry=self.registry,
        )
        self.expired = Counter(
            "pillowcast_gateway_expired",
            "Pillows sent as notconnected because they were silent.",
            registry=self.registry,
        )
        self.connections = Gauge(
            "pillowcast_gateway_connections",
            "Open connections of browsers.",
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
            "Updates handed to connections.",
            registry=self.registry,
        )
        self.conflated = Counter(
            "pillowcast_gateway_conflated",
            "Times a lagging browser was given the newest states in place of each one.",
            registry=self.registry,
        )
        self.snapshots = Counter(
            "pillowcast_gateway_snapshots",
            "Snapshots sent, by whether they resumed a stream.",
            ["recovered"],
            registry=self.registry,
        )
        self.pillows = Gauge("pillowcast_gateway_pillows", "Pillows known.", registry=self.registry)
        self.history_bytes = Gauge(
            "pillowcast_gateway_history_bytes", "What past states cost.", registry=self.registry
        )
        self.broker_up = Gauge(
            "pillowcast_gateway_broker_up", "1 while the broker is there.", registry=self.registry
        )
        self.latency = Histogram(
            "pillowcast_gateway_queued_to_sent_seconds",
            "From a state's insertion in the queue to its flush to browsers.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
            registry=self.registry,
        )

    def observe(self, *, pillows: Callable[[], int], history_bytes: Callable[[], int]) -> None:
        """Read these gauges from the state at each scrape, so that no change has to set them."""
        self.pillows.set_function(pillows)
        self.history_bytes.set_function(history_bytes)
