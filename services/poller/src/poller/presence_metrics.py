"""The metrics of what the poller says on MQTT of pillows beside their states."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class PresenceMetrics:
    """Availability of pillows, and their discovery by Home Assistant."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.offline = Gauge(
            "pillowcast_poller_offline_pillows",
            "Pillows whose availability on MQTT is offline.",
            registry=registry,
        )
        self.written = Counter(
            "pillowcast_poller_availability_written",
            "Words of availability that the broker confirmed.",
            registry=registry,
        )
        self.refused = Counter(
            "pillowcast_poller_availability_refused",
            "States of pillows of whose availability nothing is said, above POLLER_MAX_PILLOWS.",
            registry=registry,
        )
        self.discovery_written = Counter(
            "pillowcast_poller_discovery_written",
            "Discovery messages for Home Assistant that the broker confirmed.",
            registry=registry,
        )
        self.discovery_refused = Counter(
            "pillowcast_poller_discovery_refused",
            "States of pillows above POLLER_HOME_ASSISTANT_MAX_PILLOWS, which do not appear there.",
            registry=registry,
        )
