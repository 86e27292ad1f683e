"""What the connection registry needs of a connection, and of a client."""

from typing import Protocol

from gateway.transport.heartbeat import Monitored
from gateway.transport.message_deadlines import Sender


class Connection(Protocol):
    """An accepted socket."""

    def shutdown(self) -> None:
        """Close it because the server stops: after the response that is being sent, if any."""

    def abort(self) -> None:
        """Close it now."""


class Client(Monitored, Connection, Sender, Protocol):
    """A connection that was upgraded."""

    opened_us: int
    """When it became a client, in microseconds of this process; no other client has the number."""

    @property
    def kind(self) -> str:
        """One of TRANSPORTS."""
