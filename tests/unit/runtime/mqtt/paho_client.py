"""A paho client that reads bytes from memory: the library's reading of a packet."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from runtime.mqtt.packets import MalformedPacket
from runtime.mqtt.paho_loop import PahoLoop


class MemoryTransport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_closed = False
        self.is_paused = False

    def write(self, data: Any) -> None:
        """Keep it."""
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.is_closed

    def close(self) -> None:
        """Note it."""
        self.is_closed = True

    def abort(self) -> None:
        """Note it."""
        self.is_closed = True

    def pause_reading(self) -> None:
        """Note it."""
        self.is_paused = True

    def resume_reading(self) -> None:
        """Note it."""
        self.is_paused = False


class MemorySocket:
    """A socket in paho's sense, between a test and memory."""

    def __init__(self) -> None:
        self.has_unread = False
        self.sent = b""
        self._unread = b""

    def feed(self, packet: bytes) -> None:
        """Append `packet` to what paho's next reads return."""
        self._unread += packet
        self.has_unread = bool(self._unread)

    def recv(self, size: int) -> bytes:
        """Return at most `size` bytes of the packets."""
        if not self._unread:
            raise BlockingIOError
        data, self._unread = self._unread[:size], self._unread[size:]
        self.has_unread = bool(self._unread)
        return data

    def send(self, data: bytes) -> int:
        """Keep it."""
        self.sent += data
        return len(data)

    def close(self) -> None:
        """Nothing to close."""

    def fileno(self) -> int:
        """No descriptor."""
        return -1

    def setblocking(self, flag: bool) -> None:
        """Nothing blocks."""


@dataclass
class PahoReader:
    """What paho makes of packets: the messages, and whether it ended the connection."""

    v5: bool
    messages: list[Any] = field(default_factory=list)

    def read(self, packet: bytes) -> bool:
        """Have a client read a packet; return whether it found nothing wrong."""
        paho = PahoLoop("test", v5=self.v5)
        paho.client.on_message = lambda _client, _userdata, message: self.messages.append(message)
        paho.client.on_socket_register_write = None
        paho.connect(MemorySocket(), lambda: None, host="h")  # type: ignore[arg-type]
        try:
            return paho.read(packet)
        except MalformedPacket:
            return False
        finally:
            paho.end()
