"""One browser, as the event loop knows it: what both of its transports have in common.

Ten thousand of these may be idle at a time, so one is a protocol with slots and nothing else:
no task, no queue, no buffer of its own.
"""

import asyncio
import fcntl
import sys
import termios
from typing import Final

from gateway.fanout.encoding import Encoding
from gateway.fanout.subscriptions import Subscriber
from gateway.transport.admission import Wish
from gateway.transport.connections import Door
from gateway.transport.heartbeat import Beat

_COPIED_BYTES: Final = 16_384
"""From here on what is shared by many is not copied to go out with the answer to a request."""


class Browser(Subscriber, asyncio.Protocol):
    """A browser from its admission to its end.

    `heard` says that it gave a sign of life since it was last asked for one.
    """

    __slots__ = ("answer", "door", "heard", "waited")

    kind: str
    """Its transport's name, for the metrics."""

    transport: asyncio.Transport

    def __init__(self, door: Door, transport: asyncio.Transport, answer: bytes) -> None:
        """`answer` is the one to its request: it leaves together with what is written first."""
        super().__init__(transport)
        self.door = door
        self.answer = answer
        self.heard = True
        self.waited = 0  # what was unread when it was last looked after, in bytes

        # What the system does not take at once stalls it, so that nothing ever waits for a live
        # one. Only here may anything have been written before: an answer of the HTTP server's.
        if transport.get_write_buffer_size() > 0:
            door.dispatcher.pause(self)
        transport.set_write_buffer_limits(high=0)

        door.came(self)

    def write(self, data: bytes, /) -> None:
        """Write; the answer to its request goes before what is first."""
        answer, self.answer = self.answer, b""
        if not answer:
            self.transport.write(data)
        elif len(data) < _COPIED_BYTES:
            self.transport.write(answer + data)
        else:
            self.transport.writelines((answer, data))

    @property
    def is_unheard(self) -> bool:
        """Whether something that it said waits to be taken in."""
        return False

    def enter(self, wish: Wish, encoding: Encoding) -> None:
        """Tell it everything that it wants from now on."""
        self.door.dispatcher.subscribe(self, wish.filter, encoding, wish.since)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.door.dispatcher.unsubscribe(self)
        self.door.left(self)

    def pause_writing(self) -> None:
        """It does not read: pass over it."""
        self.door.dispatcher.pause(self)

    def resume_writing(self) -> None:
        """It has read: tell it what it missed."""
        self.heard = True
        self.door.dispatcher.resume(self)

    def eof_received(self) -> None:
        """It says no more. What it has not read by the next time it is looked after is dropped."""
        self.door.dispatcher.unsubscribe(self)
        self.heard = False

    def abort(self) -> None:
        """End the connection at once."""
        self.door.dispatcher.unsubscribe(self)
        self.transport.abort()

    def shutdown(self) -> None:
        """End: the server stops, and whoever reads has heard goodbye."""
        self.abort()

    def look_after(self, beat: Beat) -> None:
        """Ask for a sign of life, and give one; end it if it has given none since the last time.

        What is asked of one that reads slowly waits behind all it has still to read: that it reads
        is its sign of life. And one that reads may have answered already, but waits to be heard.
        """
        waiting = self._waiting() if self.is_paused else 0
        unheard = self.is_unheard and not self.is_paused
        if self.heard or unheard or waiting < self.waited:
            self.waited, self.heard = waiting, False
            if self.is_live:
                self.ask(beat)
        else:
            self.abort()

    def ask(self, beat: Beat) -> None:
        """Write the heartbeat, and whatever asks for an answer."""
        raise NotImplementedError

    def _waiting(self) -> int:
        """Return how many bytes it has yet to read, here and in the system."""
        waiting: int = self.transport.get_write_buffer_size()
        plain = self.transport.get_extra_info("socket")
        if plain is not None and plain.fileno() >= 0:
            unsent = fcntl.ioctl(plain.fileno(), termios.TIOCOUTQ, bytes(4))
            waiting += int.from_bytes(unsent, sys.byteorder)
        return waiting
