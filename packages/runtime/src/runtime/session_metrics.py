"""The metrics of a service's session with the broker."""

from typing import Protocol

from prometheus_client import CollectorRegistry, Gauge

from runtime.observed_counter import ObservedCounter


class ObservedSession(Protocol):
    """What is read of a session; see MqttSession."""

    @property
    def oversized(self) -> int:
        """How many messages were discarded because they were above the limit."""

    @property
    def failed(self) -> int:
        """How many messages ended in an unexpected error."""

    @property
    def has_twin(self) -> bool:
        """Whether another process uses the instance name now."""


def observe_session(service: str, session: ObservedSession, registry: CollectorRegistry) -> None:
    """Register the metrics of a session; they are read at each scrape."""
    ObservedCounter(
        f"pillowcast_{service}_oversized_messages",
        "MQTT messages discarded because they were too large.",
        lambda: session.oversized,
        registry,
    )
    ObservedCounter(
        f"pillowcast_{service}_failed_messages",
        "MQTT messages that ended in an unexpected error.",
        lambda: session.failed,
        registry,
    )
    Gauge(
        f"pillowcast_{service}_instance_shared",
        "1 while another process uses this INSTANCE, else 0.",
        registry=registry,
    ).set_function(lambda: session.has_twin)
