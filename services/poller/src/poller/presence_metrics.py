"""Metrics of the availability and the discovery messages that the poller writes on MQTT."""

from prometheus_client import CollectorRegistry

from runtime.service_metrics import ServiceMetrics


class PresenceMetrics(ServiceMetrics):
    """Availability of pillows, and their discovery by Home Assistant."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__("poller", registry)
        self.offline = self.gauge(
            "offline_pillows", "Pillows whose availability on MQTT is offline."
        )
        self.written = self.counter(
            "availability_written", "Words of availability that the broker confirmed."
        )
        self.refused = self.counter(
            "availability_refused",
            "States of pillows of whose availability nothing is said, above POLLER_MAX_PILLOWS.",
        )
        self.discovery_written = self.counter(
            "discovery_written", "Discovery messages for Home Assistant that the broker confirmed."
        )
        self.discovery_refused = self.counter(
            "discovery_refused",
            "States of pillows above POLLER_HOME_ASSISTANT_MAX_PILLOWS, which do not appear there.",
        )
