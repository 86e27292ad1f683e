"""What a browser says on a WebSocket, read by the `websockets` library's machine.

A machine costs more memory than all else that is kept of a browser, and most browsers say nothing
for hours: there is one only while a browser is in the middle of saying something, or is leaving.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

from contract.frames import MAX_REQUEST_BYTES
from gateway.transport.handshake import QUIET

_AT_A_FRAMES_START: Final = StreamReader.at_eof.__code__
"""Where the machine waits between two frames; within one it waits for more of it."""

_PONG: Final = b"\x8a"


class Said(NamedTuple):
    """A whole message; `text` is None when it was binary."""

    text: str | None


class Asked(NamedTuple):
    """A ping of the protocol, to be answered with its payload."""

    payload: bytes


class Answered(NamedTuple):
    """A pong: the browser lives."""


class Inbound:
    """One browser's machine, between its handshake and its end."""

    __slots__ = ("_is_text", "_machine", "_parts")

    def __init__(self, *, deflate: bool) -> None:
        self._machine = ServerProtocol(state=OPEN, max_size=MAX_REQUEST_BYTES, logger=QUIET)
        if deflate:
            self._machine.extensions = [
                PerMessageDeflate(
                    remote_no_context_takeover=True,
                    local_no_context_takeover=True,
                    remote_max_window_bits=15,
                    local_max_window_bits=15,
                )
            ]
        self._parts = bytearray()  # not a list: fragments may be empty, and without an end
        self._is_text = False

    @property
    def is_open(self) -> bool:
        """Whether neither side has begun to close."""
        return self._machine.state is OPEN

    @property
    def is_over(self) -> bool:
        """Whether all has been said on both sides: TCP is to be closed."""
        return self._machine.eof_sent

    @property
    def is_broken(self) -> bool:
        """Whether the browser broke the protocol."""
        return self._machine.parser_exc is not None

    @property
    def close_code(self) -> int | None:
        """With which code we closed, if we did."""
        sent = self._machine.close_sent
        return None if sent is None else sent.code

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is pending: a new machine would do as well as this one."""
        machine = self._machine
        if machine.state is not OPEN or self._parts or machine.current_size is not None:
            return False
        innermost: Any = machine.parser
        while innermost.gi_yieldfrom is not None:
            innermost = innermost.gi_yieldfrom
        waits_in: object = innermost.gi_code
        return waits_in is _AT_A_FRAMES_START

    def feed(self, data: bytes) -> Iterator[Said | Asked | Answered]:
        """Take in bytes; yield what they say. What is to be answered is in `take`."""
        machine = self._machine
        machine.receive_data(data)
        for frame in machine.events_received():
            assert isinstance(frame, Frame)
            if frame.opcode is Opcode.PING:
                yield Asked(bytes(frame.data))
            elif frame.opcode is Opcode.PONG:
                yield Answered()
            elif frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                if frame.opcode is not Opcode.CONT:
                    self._is_text = frame.opcode is Opcode.TEXT
                self._parts += frame.data
                if frame.fin:
                    whole, self._parts = self._parts, bytearray()
                    try:
                        yield Said(whole.decode() if self._is_text else None)
                    except UnicodeDecodeError:
                        machine.fail(CloseCode.INVALID_DATA, "not UTF-8")
                        return

    def close(self, code: int) -> None:
        """Begin to close with a code, unless that has begun."""
        if self._machine.state is OPEN:
            self._machine.send_close(code)

    def take(self) -> bytes:
        """Return what the machine wants to be written now.

        Without its answers to pings: they are given in order with those to messages, and not at all
        to a browser that does not read.
        """
        return b"".join(one for one in self._machine.data_to_send() if one[:1] != _PONG)
