"""The port of the broker: what the poller publishes, and what the broker reports."""

import asyncio
from collections.abc import Sequence
from typing import Literal, Protocol

from contract.queue_report import QueueReport
from contract.updates import Update
from poller.journal.save_marks import SaveMark
from runtime.mqtt import Message

StateSource = Literal["own", "other", "retained"]
"""Where a state comes from: this poller, another client, or the retained states of the broker."""


class StatePublisher(Protocol):
    """Publishes with QoS 1, in the order of the calls."""

    @property
    def is_ready(self) -> bool:
        """Whether it is connected and has delivered every retained state."""

    @property
    def shares_queue(self) -> bool:
        """Whether another poller has published a state in the last seconds."""

    @property
    def delivers_retained(self) -> bool:
        """Whether the broker sends retained states to a subscription with a wildcard."""

    @property
    def connections(self) -> int:
        """How many connections were begun; the broker may have lost what an earlier one wrote."""

    @property
    def has_properties(self) -> bool:
        """Whether messages carry properties, as with MQTT 5."""

    async def wait_ready(self) -> None:
        """Wait until `is_ready`."""

    def publish_state(self, update: Update, traceparent: str | None) -> asyncio.Future[None]:
        """Publish a retained state; the future is done when the broker has confirmed it.

        Raises BrokerLost or PublishRefused, either at once or from the future.
        """

    def publish_mark(self, mark: SaveMark) -> asyncio.Future[None]:
        """Publish a retained save mark; the future and the errors are the same."""

    def publish_queue_report(self, report: QueueReport) -> asyncio.Future[None]:
        """Publish a retained report on the queue; the future and the errors are the same."""

    def publish_role(self, role: bytes, *, retain: bool) -> asyncio.Future[None]:
        """Publish this poller's role for the others; the future and the errors are the same."""

    def announce(self, letter: bytes) -> asyncio.Future[None]:
        """Publish the announcement of a dead letter; the future and the errors are the same."""

    def publish_retained(
        self,
        topic: str,
        payload: bytes,
        *,
        expiry_s: int | None,
        user_properties: Sequence[tuple[str, str]] = (),
    ) -> asyncio.Future[None]:
        """Publish another retained value; the future and the errors are the same."""


class PillowObserver(Protocol):
    """Sees the states that this poller publishes and receives, in order; it must not block."""

    def on_connecting(self) -> None:
        """Handle that another connection begins: the broker sends again what it has."""

    def on_state(self, update: Update, source: StateSource) -> None:
        """Handle a state: one that this poller publishes, one of another client, or a retained one.

        With MQTT 3.1.1 an own state comes back as one of another client.
        """

    def on_removed(self, pillow: str) -> None:
        """Handle the removal of a pillow: an empty retained payload."""

    def on_message(self, message: Message) -> None:
        """Handle a message of another topic that some observer needs."""

    def on_ready(self) -> None:
        """Handle that every retained message has been delivered."""


class BrokerEventHandler(Protocol):
    """Receives what the broker reports, in order and on the event loop; it must not block."""

    def on_state(self, update: Update) -> None:
        """Handle a state that is retained or that another client published."""

    def on_removed(self, pillow: str) -> None:
        """Handle the removal of a pillow: an empty retained payload."""

    def on_mark(self, payload: bytes) -> None:
        """Handle a save mark of this poller's journal, or of another one."""

    def on_connecting(self) -> None:
        """Handle that another connection begins: what the broker holds is not known."""

    def on_ready(self) -> None:
        """Handle that the session is connected and every retained state has been delivered."""

    def on_lost(self) -> None:
        """Handle the loss of the connection."""


class RoleListener(Protocol):
    """Receives the roles that the queue's pollers publish; it must not block."""

    def on_connecting(self) -> None:
        """Handle that another connection begins: what is retained comes again."""

    def on_role(self, payload: bytes) -> None:
        """Handle a poller's role, which can be any bytes, and may be this poller's own."""

    def on_ready(self) -> None:
        """Handle that the session is connected and what is retained has been delivered."""

    def on_lost(self) -> None:
        """Handle the loss of the connection."""


class GatewayListener(Protocol):
    """Receives what gateways report on the broker, and wake hints; it must not block."""

    def on_connecting(self) -> None:
        """Handle that another connection begins: the messages of gateways come again."""

    def on_watching(self, instance: str, payload: bytes) -> None:
        """Handle a gateway's number of clients, which can be any bytes."""

    def on_gateway_status(self, instance: str, payload: bytes) -> None:
        """Handle a gateway's status."""

    def on_wake(self) -> None:
        """Handle the wake hint: it says that a message was put on the queue."""
