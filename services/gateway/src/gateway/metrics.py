"""The gateway's metrics, for Prometheus.

Each value of a label that is known before has a sample of 0 from the start: a counter that begins
with its first event has no increase that a rule could see.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from contract.frames import BAD_MESSAGE, FORBIDDEN, FULL, TOKEN_TIMEOUT, TOO_MANY, UNAUTHORIZED
from gateway.send_times import SendTimes

_OUTCOMES: Final = (
    "taken", "older", "repeated", "sign-of-life", "over-limit", "ahead", "removed", "availability",
    "invalid", "unknown-topic", "error",
)  # fmt: skip
_CODES: Final = (FULL, BAD_MESSAGE, UNAUTHORIZED, FORBIDDEN, TOKEN_TIMEOUT, TOO_MANY)
_LIMITS: Final = (
    "total", "clients", "pending", "idle", "requests", "request", "request-cpu", "message",
    "subscriptions", "target", "query-fields", "query-escapes", "offer", "headers", "header-value",
    "header-bytes", "body", "chunks",
)  # fmt: skip
_EVICTED: Final = ("closing", "idle", "pending", "stalled", "silent")


@dataclass(frozen=True, slots=True)
class ObservedState:
    """What is read of the states at each scrape, so that no change has to set it."""

    pillows: Callable[[], int]
    silent_pillows: Callable[[], int]
    history_bytes: Callable[[], int]
    queue_offset_ms: Callable[[], int | None]


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """The limits of what states and filters take."""

    pillows: int
    history_bytes: int
    subscription_bytes: int


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
        for outcome in _OUTCOMES:
            self.received.labels(outcome)
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
        for code in _CODES:
            self.refused.labels(str(code))
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
        self.send_times = SendTimes(self.registry)
        self._add_state_metrics()
        self._add_limits_of_memory()
        self._add_connection_metrics()

    def _add_state_metrics(self) -> None:
        self.pillows = Gauge("pillowcast_gateway_pillows", "Known pillows.", registry=self.registry)
        self.silent_pillows = Gauge(
            "pillowcast_gateway_silent_pillows",
            "Known pillows that are sent as notconnected.",
            registry=self.registry,
        )
        self.forgotten = Counter(
            "pillowcast_gateway_forgotten_pillows",
            "Silent pillows that were removed: for a week, or to make room at GATEWAY_MAX_PILLOWS.",
            registry=self.registry,
        )
        self.clock_behind = Counter(
            "pillowcast_gateway_clock_behind",
            "States refused as older, of pillows whose clock is behind; each is a sign of life.",
            registry=self.registry,
        )
        self.clock_offset = Gauge(
            "pillowcast_gateway_clock_offset_seconds",
            "This machine's clock minus the queue's time; NaN while that is not known.",
            registry=self.registry,
        )
        self.history_bytes = Gauge(
            "pillowcast_gateway_history_bytes",
            "Memory that past states take, in bytes.",
            registry=self.registry,
        )
        self.history_up = Gauge(
            "pillowcast_gateway_history_up",
            "1 while the database of HISTORY_URL answers, 0 while it fails or there is none.",
            registry=self.registry,
        )
        self.broker_up = Gauge(
            "pillowcast_gateway_broker_up",
            "1 while the gateway is connected to the broker, else 0.",
            registry=self.registry,
        )

    def _add_limits_of_memory(self) -> None:
        self.pillows_limit = Gauge(
            "pillowcast_gateway_pillows_limit",
            "The limit GATEWAY_MAX_PILLOWS.",
            registry=self.registry,
        )
        self.history_limit = Gauge(
            "pillowcast_gateway_history_limit_bytes",
            "The limit GATEWAY_HISTORY_BYTES; above it the oldest states go.",
            registry=self.registry,
        )
        self.subscription_bytes = Gauge(
            "pillowcast_gateway_subscription_bytes",
            "Memory that the names of pillows in the filters of all clients take, in bytes.",
            registry=self.registry,
        )
        self.subscription_limit = Gauge(
            "pillowcast_gateway_subscription_limit_bytes",
            "The limit GATEWAY_SUBSCRIPTION_BYTES; above it long lists are refused.",
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
        self.connection_limit_used = Gauge(
            "pillowcast_gateway_connection_limit_used",
            "Accepted sockets that count against each of these limits.",
            ["limit"],
            registry=self.registry,
        )
        self.limit_reached = Counter(
            "pillowcast_gateway_connection_limit_reached",
            "Connections evicted, and connections and requests refused or delayed, by limit.",
            ["limit"],
            registry=self.registry,
        )
        for limit in _LIMITS:
            self.limit_reached.labels(limit)
        self.evicted = Counter(
            "pillowcast_gateway_evicted",
            "Connections closed to make room for others, by stage.",
            ["stage"],
            registry=self.registry,
        )
        for stage in _EVICTED:
            self.evicted.labels(stage)
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
        """Add those of requests and of the limits of addresses."""
        self.requests_waiting = Gauge(
            "pillowcast_gateway_requests_waiting",
            "Handshakes and requests that wait for their turn.",
            registry=self.registry,
        )
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
        for limit, effect in product(
            ("connections", "connects", "requests"), ("refused", "closed")
        ):
            self.address_limited.labels(limit, effect)

    def observe(self, state: ObservedState) -> None:
        """Read these gauges at each scrape, so that no change has to set them."""

        def clock_offset_s() -> float:
            queue_offset_ms = state.queue_offset_ms()
            return math.nan if queue_offset_ms is None else -queue_offset_ms / 1000

        self.clock_offset.set_function(clock_offset_s)
        self.pillows.set_function(state.pillows)
        self.silent_pillows.set_function(state.silent_pillows)
        self.history_bytes.set_function(state.history_bytes)

    def set_limits(self, limits: MemoryLimits) -> None:
        """Set the limits of what states and filters take."""
        self.pillows_limit.set(limits.pillows)
        self.history_limit.set(limits.history_bytes)
        self.subscription_limit.set(limits.subscription_bytes)
