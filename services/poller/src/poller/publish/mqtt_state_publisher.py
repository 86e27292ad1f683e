"""The broker over MQTT: a StatePublisher on a session of its own; calls a BrokerEventHandler."""

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from contract.queue_report import QueueReport, encode_queue_report
from contract.topics import Topics
from contract.updates import CONTENT_TYPE, EXPIRY_S, Update, decode_state
from poller.journal.save_marks import SaveMark, encode_mark
from poller.publish.publish_confirms import PublishConfirms
from poller.publish.state_publisher import (
    BrokerEventHandler,
    GatewayListener,
    PillowObserver,
    RoleListener,
)
from poller.settings import PollerSettings
from runtime.mqtt import STATUS_EXPIRY_S, Message, MqttSession, SessionConfig, Subscription

MARK_EXPIRY_S: Final = 2 * EXPIRY_S
"""After how long a broker drops the save mark of a poller that is gone, in seconds (MQTT 5)."""

ROLE_EXPIRY_S: Final = 60
"""After how long a broker drops the message of a poller on standby, in seconds (MQTT 5), because it
is needed at once or never."""

OTHER_POLLER_S: Final = 5.0
"""For how long after its last state another poller counts as active, in seconds."""


class MqttStatePublisher:
    """Publishes states and announcements, and reads the states on the broker.

    `listener` and `gateways` have to be set before `run`; `pollers` may be, if there is a `queue`.
    With MQTT 3.1.1 a state is confirmed when it has also come back; see PublishConfirms.
    """

    listener: BrokerEventHandler
    gateways: GatewayListener
    pollers: RoleListener | None = None

    def __init__(
        self,
        settings: PollerSettings,
        service: str,
        journals: Mapping[str, str] = MappingProxyType({}),
        queue: str = "",
        filters: Sequence[str] = (),
    ) -> None:
        """`journals` are the ids, with their instances, of the journals whose states are known.

        The marks of others are read as well, because their journals may be adopted later.
        `queue` is the level of the topic on which its pollers agree; empty if they do not.
        `filters` are the topics that the observers need.
        """
        self.observers: Sequence[PillowObserver] = ()
        self._topics = Topics(settings.topic_prefix)
        self._instance = settings.instance
        marks = {self._topics.saved(instance, journal) for journal, instance in journals.items()}
        self._role_topic = self._topics.poller_roles(queue) if queue else ""
        self._dead_letter_topic = self._topics.dead_letter(settings.instance)
        self._other_poller_s = -math.inf
        """When a state of another poller arrived, by the event loop's clock."""
        self._connections = 0
        self._session = MqttSession(
            SessionConfig.for_service(settings, service),
            # Some marks without a wildcard too, so that every broker sends them.
            Subscription((*self._filters(marks), *filters), no_local=True),
            on_message=self._on_message,
            on_ready=self._on_ready,
            on_lost=self._on_lost,
        )
        self._confirms = (
            PublishConfirms(self._session.round_trip) if settings.mqtt_protocol == "3.1.1" else None
        )

    def _filters(self, marks: Iterable[str]) -> tuple[str, ...]:
        topics = self._topics
        gateways = (topics.all_gateway_statuses, topics.all_watching)
        roles = [self._role_topic] if self._role_topic else []
        return (topics.all_states, topics.all_saved, *sorted(marks), *gateways, topics.wake, *roles)

    async def run(self, stopping: asyncio.Event) -> None:
        """Keep the session connected until `stopping` is set."""
        await self._session.run(stopping)

    @property
    def is_ready(self) -> bool:
        """Whether the session is connected and every retained state has been delivered."""
        return self._session.is_ready

    @property
    def last_error(self) -> str:
        """Why the session is not ready, for readiness."""
        return self._session.last_error

    @property
    def limitation(self) -> str | None:
        """What is wrong with a session that is ready, for readiness; None if nothing."""
        return self._session.limitation

    @property
    def delivers_retained(self) -> bool:
        """Whether the broker sends retained states to a subscription with a wildcard."""
        return self._session.delivers_retained is not False

    @property
    def has_properties(self) -> bool:
        """Whether messages carry properties, as with MQTT 5."""
        return self._confirms is None

    @property
    def session(self) -> MqttSession:
        """The session with the broker, for its metrics."""
        return self._session

    @property
    def shares_queue(self) -> bool:
        """Whether another poller has published a state in the last seconds."""
        return asyncio.get_running_loop().time() - self._other_poller_s < OTHER_POLLER_S

    @property
    def connections(self) -> int:
        """How many connections were begun."""
        return self._session.connections

    async def wait_ready(self) -> None:
        """Wait until `is_ready`."""
        await self._session.wait_ready()

    def publish_state(self, update: Update, traceparent: str | None) -> asyncio.Future[None]:
        """Publish a retained state with its expiry; see StatePublisher."""
        acknowledged = self._session.publish(
            self._topics.state(update.pillow),
            update.payload,
            retain=True,
            content_type=CONTENT_TYPE,
            expiry_s=EXPIRY_S,
            user_properties=(("traceparent", traceparent),) if traceparent else (),
        )
        for observer in self.observers:
            observer.on_state(update, "own")
        if self._confirms is None:
            return acknowledged
        return self._confirms.expect(update.pillow, update.payload, acknowledged)

    def publish_mark(self, mark: SaveMark) -> asyncio.Future[None]:
        """Publish a retained save mark; see StatePublisher.

        It outlasts the states before it, because it proves that the broker had saved them.
        """
        topic = self._topics.saved(self._instance, mark.level)
        return self._session.publish(topic, encode_mark(mark), retain=True, expiry_s=MARK_EXPIRY_S)

    def publish_queue_report(self, report: QueueReport) -> asyncio.Future[None]:
        """Publish a retained report on the queue; see StatePublisher."""
        return self._session.publish(
            self._topics.queue(self._instance),
            encode_queue_report(report),
            retain=True,
            content_type=CONTENT_TYPE,
            expiry_s=STATUS_EXPIRY_S,
        )

    def publish_role(self, role: bytes, *, retain: bool) -> asyncio.Future[None]:
        """Publish this poller's role for the others of its queue; see StatePublisher."""
        expiry_s = EXPIRY_S if retain else ROLE_EXPIRY_S
        return self._session.publish(self._role_topic, role, retain=retain, expiry_s=expiry_s)

    def announce(self, letter: bytes) -> asyncio.Future[None]:
        """Publish the announcement of a dead letter; see StatePublisher."""
        return self._session.publish(self._dead_letter_topic, letter, content_type=CONTENT_TYPE)

    def publish_retained(
        self,
        topic: str,
        payload: bytes,
        *,
        expiry_s: int | None,
        user_properties: Sequence[tuple[str, str]] = (),
    ) -> asyncio.Future[None]:
        """Publish another retained value; see StatePublisher."""
        return self._session.publish(
            topic, payload, retain=True, expiry_s=expiry_s, user_properties=user_properties
        )

    def _on_message(self, message: Message) -> None:
        self._notice_connection()
        topic = self._topics.parse(message.topic)
        if topic is None or topic.kind != "state":
            self._on_other_message(message)
            return
        is_own = self._confirms is not None and self._confirms.receive(
            topic.pillow, message.payload
        )
        if not message.payload:
            self.listener.on_removed(topic.pillow)
            for observer in self.observers:
                observer.on_removed(topic.pillow)
            return
        update = decode_state(topic.pillow, message.payload)
        if isinstance(update, Update):
            # Only a poller publishes when a state was put on the queue.
            if not is_own and not message.retained and update.queued_ms is not None:
                self._other_poller_s = asyncio.get_running_loop().time()
            self.listener.on_state(update)
            for observer in self.observers:
                observer.on_state(update, "retained" if message.retained else "other")

    def _on_other_message(self, message: Message) -> None:
        """Handle a message that is no state: of a poller or a gateway, a wake hint, or another."""
        if message.topic == self._role_topic:
            if self.pollers is not None:
                self.pollers.on_role(message.payload)
        elif self._topics.is_saved(message.topic):
            self.listener.on_mark(message.payload)
        elif message.topic == self._topics.wake:
            if not message.retained:  # a hint of before
                self.gateways.on_wake()
        elif (gateway := self._topics.parse_gateway(message.topic)) is not None:
            kind, instance = gateway
            if kind == "watching":
                self.gateways.on_watching(instance, message.payload)
            else:
                self.gateways.on_gateway_status(instance, message.payload)
        else:
            for observer in self.observers:
                observer.on_message(message)

    def _on_ready(self) -> None:
        self._notice_connection()
        self.listener.on_ready()
        if self.pollers is not None:
            self.pollers.on_ready()
        for observer in self.observers:
            observer.on_ready()

    def _notice_connection(self) -> None:
        """Report that another connection has begun, before anything that came on it."""
        if self._connections != self._session.connections:
            self._connections = self._session.connections
            self.listener.on_connecting()
            self.gateways.on_connecting()
            if self.pollers is not None:
                self.pollers.on_connecting()
            for observer in self.observers:
                observer.on_connecting()

    def _on_lost(self) -> None:
        if self._confirms is not None:
            self._confirms.fail_all(self._session.last_error)
        self.listener.on_lost()
        if self.pollers is not None:
            self.pollers.on_lost()
