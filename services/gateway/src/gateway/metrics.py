"""The gateway's metrics, for Prometheus."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from contract.frames import BAD_MESSAGE, FORBIDDEN, FULL, TOKEN_TIMEOUT, TOO_MANY, UNAUTHORIZED
from gateway.send_times import SendTimes
from runtime.service_metrics import ServiceMetrics

_OUTCOMES: Final = (
    "taken", "older", "repeated", "sign-of-life", "over-limit", "ahead", "removed", "availability",
    "invalid", "unknown-topic", "error",
)  # fmt: skip
_CODES: Final = (FULL, BAD_MESSAGE, UNAUTHORIZED, FORBIDDEN, TOKEN_TIMEOUT, TOO_MANY)
_LIMITS: Final = (
    "total", "clients", "pending", "idle", "requests", "request", "request-cpu", "message",
    "subscriptions", "target", "query-fields", "query-escapes", "offer", "headers", "header-value",
    "header-bytes", "body", "chunks", "pipelined",
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


class GatewayMetrics(ServiceMetrics):
    """The gateway's metrics, in a registry of their own."""

    def __init__(self) -> None:
        super().__init__("gateway")
        self.received = self.counter(
            "received", "MQTT messages received, by outcome.", outcome=_OUTCOMES
        )
        self.expired = self.counter(
            "expired",
            "Pillows that expired: removed, or sent as notconnected because they were silent.",
        )
        self.connections = self.gauge(
            "connections", "Open client connections, by transport.", "transport"
        )
        self.refused = self.counter(
            "refused",
            "Connections refused or closed by the gateway, by close code.",
            code=map(str, _CODES),
        )
        self.delivered = self.counter("delivered_updates", "Updates written to connections.")
        self.conflated = self.counter(
            "conflated", "Times a slow client was sent the newest states instead of every update."
        )
        self.snapshots = self.counter(
            "snapshots",
            "Snapshots sent, by whether the client resumed from a cursor.",
            recovered=(),
        )
        self.send_times = SendTimes(self.registry)
        self._add_state_metrics()
        self._add_limits_of_memory()
        self._add_connection_metrics()

    def _add_state_metrics(self) -> None:
        self.pillows = self.gauge("pillows", "Known pillows.")
        self.silent_pillows = self.gauge(
            "silent_pillows", "Known pillows that are sent as notconnected."
        )
        self.forgotten = self.counter(
            "forgotten_pillows",
            "Silent pillows that were removed: for a week, or to make room at GATEWAY_MAX_PILLOWS.",
        )
        self.clock_behind = self.counter(
            "clock_behind",
            "States refused as older, of pillows whose clock is behind; each is a sign of life.",
        )
        self.clock_offset = self.gauge(
            "clock_offset_seconds",
            "This machine's clock minus the queue's time; NaN while that is not known.",
        )
        self.history_bytes = self.gauge("history_bytes", "Memory that past states take, in bytes.")
        self.history_up = self.gauge(
            "history_up",
            "1 while the database of HISTORY_URL answers, 0 while it fails or there is none.",
        )
        self.labels = self.gauge("labels", "Names of pillows from the file GATEWAY_LABELS_FILE.")
        self.labels_up = self.gauge(
            "labels_up",
            "0 while the file GATEWAY_LABELS_FILE cannot be used as it is; else, and without one, "
            "1.",
        )
        self.labels_up.set(1)
        self.broker_up = self.gauge(
            "broker_up", "1 while the gateway is connected to the broker, else 0."
        )

    def _add_limits_of_memory(self) -> None:
        self.pillows_limit = self.gauge("pillows_limit", "The limit GATEWAY_MAX_PILLOWS.")
        self.history_limit = self.gauge(
            "history_limit_bytes", "The limit GATEWAY_HISTORY_BYTES; above it the oldest states go."
        )
        self.subscription_bytes = self.gauge(
            "subscription_bytes",
            "Memory that the names of pillows in the filters of all clients take, in bytes.",
        )
        self.subscription_limit = self.gauge(
            "subscription_limit_bytes",
            "The limit GATEWAY_SUBSCRIPTION_BYTES; above it long lists are refused.",
        )

    def _add_connection_metrics(self) -> None:
        """Add those of the connection registry."""
        self.sockets = self.gauge(
            "sockets", "Accepted sockets that are no client connections, by stage.", "stage"
        )
        self.connection_limit = self.gauge(
            "connection_limit",
            "Limits of accepted sockets: of all, and by what they are used for.",
            "limit",
        )
        self.connection_limit_used = self.gauge(
            "connection_limit_used",
            "Accepted sockets that count against each of these limits.",
            "limit",
        )
        self.limit_reached = self.counter(
            "connection_limit_reached",
            "Connections evicted, and connections and requests refused or delayed, by limit.",
            limit=_LIMITS,
        )
        self.evicted = self.counter(
            "evicted", "Connections closed to make room for others, by stage.", stage=_EVICTED
        )
        self.stalled = self.counter(
            "stalled_responses",
            "Responses ended because their client read nothing for GATEWAY_RESPONSE_TIMEOUT.",
        )
        self.silent = self.gauge(
            "silent_clients",
            "Clients without a sign of life for 40 s; they read slowly, or not at all.",
        )
        self.dead = self.counter(
            "dead_clients", "Clients that were closed because they gave no sign of life."
        )
        self.out_of_files = self.counter(
            "out_of_files",
            "Checks, four a second, that found no file descriptor for another connection.",
        )

        self._add_address_metrics()

    def _add_address_metrics(self) -> None:
        """Add those of requests and of the limits of addresses."""
        self.requests_waiting = self.gauge(
            "requests_waiting", "Handshakes and requests that wait for their turn."
        )
        self.resting = self.gauge(
            "connections_resting",
            "Connections that are read less often, because they send little again and again.",
        )
        self.ended = self.gauge(
            "connections_ended", "Connections that clients have ended and that wait to be closed."
        )
        self.addresses = self.gauge(
            "addresses", "Networks that are remembered because of their connections or their rates."
        )
        self.address_limit = self.gauge(
            "address_limit", "Limits of one address; 0 for none.", "limit"
        )
        self.address_limited = self.counter(
            "address_limited",
            "Connections and requests above a limit of their address: refused with a reason, or "
            "closed at once.",
            limit=("connections", "connects", "requests"),
            effect=("refused", "closed"),
        )

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
