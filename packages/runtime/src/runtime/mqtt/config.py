"""The configuration of a session: its broker, identity, subscription and limits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from contract.topics import Topics
from runtime.broker_url import BrokerAddress
from runtime.settings import CommonSettings


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Timeouts in seconds and sizes. The defaults are for production; tests shorten them."""

    keepalive_s: int = 20
    """A PINGREQ is sent after this silence; without an answer the connection ends after twice
    as long."""

    connect_timeout_s: float = 4.0
    """For name resolution, TCP and TLS together."""

    connack_timeout_s: float = 4.0
    """For CONNACK after the connection is open. It is the first and smallest answer, and nothing is
    sent before it, so a slow link does not delay it. What accepts connections and stays silent (a
    proxy in front of a broker that is down) costs this and the usual back-off."""

    response_timeout_s: float = 10.0
    """For SUBACK, PUBACK, and for the session's own mark to come back. It starts anew with
    every byte that arrives, because a slow link delays an answer behind everything before it. A
    broker that exceeds it counts as lost."""

    settle_s: float = 2.0
    """After a mark with QoS 0 and no retained message behind it, the wait for the mark with QoS 1:
    see `retained_set`."""

    disconnect_timeout_s: float = 1.0
    """For the status `offline` to be acknowledged, because a broker that does not answer must not
    delay a stop."""

    stable_after_s: float = 10.0
    """The back-off starts anew only after a connection was ready for this long, because a broker
    that accepts and drops connections would otherwise be retried twice a second."""

    max_in_flight: int = 1024
    """Publishes without an acknowledgement. The broker's Receive Maximum applies where it is lower
    (MQTT 5 §4.9). Further publishes wait in order."""

    max_packet_bytes: int = 1_048_576
    """The largest packet accepted: twenty times the largest state. It is announced as Maximum
    Packet Size (MQTT 5 §3.1.2.11.4). A larger message is discarded as it arrives, with an error in
    the log, because MQTT 3.1.1 has no way to announce a limit."""


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """The broker and the identity that a session has there.

    `status_topic` is retained: `online` while the session is ready, else `offline`, also as the
    last will.
    `mark_topic` carries the session's own marks: `<prefix>/bridge/<service>/<instance>/mark`.
    """

    broker: BrokerAddress
    protocol: Literal["5", "3.1.1"]
    service: str
    instance: str
    status_topic: str
    mark_topic: str
    limits: SessionLimits = field(default_factory=SessionLimits)

    @classmethod
    def for_service(
        cls, settings: CommonSettings, service: str, command: str | None = None
    ) -> Self:
        """Return the configuration of a service, or of one of its commands.

        The instance of a command is named after it, because the service may run meanwhile.
        """
        instance = f"{settings.instance[:56]}-{command}" if command else settings.instance
        topics = Topics(settings.topic_prefix)
        return cls(
            settings.broker,
            settings.mqtt_protocol,
            service=service,
            instance=instance,
            status_topic=topics.status(service, instance),
            mark_topic=topics.mark(service, instance),
        )

    @property
    def mark_filter(self) -> str:
        """A filter with a wildcard that matches the mark topic, and practically nothing else."""
        *prefix, _bridge, service, instance, mark = self.mark_topic.split("/")
        return "/".join((*prefix, "+", service, instance, mark))


@dataclass(frozen=True, slots=True)
class Subscription:
    """Topic filters, subscribed with QoS 1 on each connection.

    `no_local` (own publishes are not sent back) and `skip_retained` (no retained messages at the
    time of the subscription) hold for MQTT 5 only, because MQTT 3.1.1 cannot express them.
    """

    filters: Sequence[str] = ()
    no_local: bool = False
    skip_retained: bool = False

    @property
    def widened(self) -> list[str]:
        """Filters with another text that match at least the same topics: their last level is `+`.

        Some brokers send retained messages only once for the same text.
        """
        return list(dict.fromkeys(_widened(filter) for filter in self.filters))

    @property
    def wants_retained(self) -> bool:
        """Whether the session waits for retained messages."""
        return bool(self.filters) and not self.skip_retained


def _widened(filter: str) -> str:
    head, _, last = filter.rpartition("/")
    return f"{head}/{'#' if last == '+' else '+'}" if head and last != "#" else filter
