"""Broker view: what the broker retains of pillows and services, read under the settings' user."""

from dataclasses import dataclass, field
from typing import Final

from contract.topics import BRIDGE, Topics
from contract.updates import Update, decode_state
from runtime.mqtt import Guest, Message, SessionLimits
from runtime.settings import CommonSettings

LIMITS: Final = SessionLimits(connect_timeout_s=3.0, connack_timeout_s=3.0, response_timeout_s=3.0)
"""The timeouts of a command: a person waits."""


@dataclass(slots=True)
class BrokerView:
    """What was retained: statuses by service and instance, and of pillows what was asked for."""

    statuses: dict[tuple[str, str], str] = field(default_factory=dict)
    states: dict[str, Update] = field(default_factory=dict)
    invalid: dict[str, str] = field(default_factory=dict)
    availability: dict[str, str] = field(default_factory=dict)

    def instances(self, service: str, status: str = "online") -> list[str]:
        """Return the instances of a service with a status."""
        return sorted(
            name
            for (kind, name), said in self.statuses.items()
            if kind == service and said == status
        )


class BrokerReader:
    """Fills a view from messages."""

    def __init__(self, settings: CommonSettings) -> None:
        self.view = BrokerView()
        self.topics = Topics(settings.topic_prefix)
        self.guest = Guest(settings, self._receive, LIMITS)

    @property
    def status_filter(self) -> str:
        """The filter that matches the status of every service."""
        return self.topics.status("+", "+")

    def _receive(self, message: Message) -> None:
        topic = self.topics.parse(message.topic)
        if topic is None:
            self._receive_status(message)
        elif topic.kind == "availability":
            self.view.availability[topic.pillow] = message.payload.decode(errors="replace")
        elif message.payload:
            update = decode_state(topic.pillow, message.payload)
            if isinstance(update, Update):
                self.view.states[topic.pillow] = update
            else:
                self.view.invalid[topic.pillow] = update
        else:
            self.view.states.pop(topic.pillow, None)

    def _receive_status(self, message: Message) -> None:
        head, _, kind = message.topic.rpartition("/")
        parent, _, instance = head.rpartition("/")
        bridge, _, service = parent.rpartition("/")
        if kind == "status" and bridge == f"{self.topics.prefix}/{BRIDGE}":
            self.view.statuses[service, instance] = message.payload.decode(errors="replace")


async def read_broker(settings: CommonSettings, pillow: str) -> BrokerView:
    """Return what the broker retains of a pillow and of the services.

    Raises BrokerLost or BrokerUnusable.
    """
    reader = BrokerReader(settings)
    async with reader.guest.connected():
        await reader.guest.subscribe(
            [reader.topics.state(pillow), reader.topics.availability(pillow), reader.status_filter]
        )
        await reader.guest.settle()
    return reader.view
