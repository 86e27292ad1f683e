"""Message reader: WebSocket frames to messages, by the `websockets` library's protocol object.

That object takes more memory than everything else that is kept for a connection, and most clients
send nothing for hours. So a reader exists only while a message or the closing handshake is
incomplete.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN, SEND_EOF
from websockets.server import ServerProtocol

from contract.frames import MAX_REQUEST_BYTES
from gateway.transport.frame_scanner import FrameScanner
from gateway.transport.handshake import SILENT_LOGGER, release

POLICY_VIOLATION: Final = int(CloseCode.POLICY_VIOLATION)
"""The close code (RFC 6455 §7.4.1) after which a client may connect again."""

_PONG: Final = b"\x8a"


PIECE_FRAMES: Final = 32
"""How many frames are parsed at once: the library takes some 15 µs for each, however small. Of
compressed ones it is one, because a hundred bytes may be 64 KiB."""

PIECE_BYTES: Final = 16_384
"""How many bytes are parsed at once, of which a frame may have any number."""


class TextMessage(NamedTuple):
    """A whole text message."""

    text: str


class BinaryMessage(NamedTuple):
    """A whole binary message; its content is not kept, because no client may send one."""


class PingReceived(NamedTuple):
    """A ping, which must be answered with its payload."""

    payload: bytes


class PongReceived(NamedTuple):
    """A pong."""


Event = TextMessage | BinaryMessage | PingReceived | PongReceived


class MessageReader:
    """The reader of one connection, after its opening handshake."""

    __slots__ = (
        "_fragments", "_has_close", "_in_message", "_is_text", "_protocol", "_scanner",
        "_unparsed", "is_over",
    )  # fmt: skip

    def __init__(self, *, deflate: bool) -> None:
        """`deflate` says that permessage-deflate was negotiated."""
        self._protocol = ServerProtocol(
            state=OPEN, max_size=MAX_REQUEST_BYTES, logger=SILENT_LOGGER
        )
        if deflate:
            self._protocol.extensions = [
                PerMessageDeflate(
                    remote_no_context_takeover=True,
                    local_no_context_takeover=True,
                    remote_max_window_bits=15,
                    local_max_window_bits=15,
                )
            ]
        self._scanner = FrameScanner()
        # Not a list, because a message may have any number of empty fragments.
        self._fragments = bytearray()
        self._unparsed = bytearray()  # of the payload of a frame
        self._in_message = False
        self._is_text = False
        self._has_close = False
        self.is_over = False
        """Whether the server is to close TCP: both sides have closed, or the peer has failed."""

    @property
    def is_open(self) -> bool:
        """Whether neither side has begun to close."""
        return self._protocol.state is OPEN

    @property
    def has_failed(self) -> bool:
        """Whether the connection was closed because the peer broke the protocol."""
        return self.is_over and not self._has_close

    @property
    def is_idle(self) -> bool:
        """Whether nothing is incomplete, so that a new reader could take this one's place."""
        return self.is_open and not self._in_message and self._scanner.is_at_boundary

    def keep(self, data: bytes) -> int:
        """Keep bytes for the next `feed` if they end no frame; returns what is left of it, or 0.

        Nothing can be told of such bytes before the rest has come.
        """
        left = self._scanner.skip(len(data)) if self.is_open else 0
        if left:
            self._unparsed += data
        return left

    def feed(self, data: bytes) -> Iterator[Event]:
        """Parse bytes and yield what they complete; call `data_to_send` after that."""
        self._scanner.feed(data)
        if self._unparsed:
            data, self._unparsed = bytes(self._unparsed + data), bytearray()
        self._protocol.receive_data(data)
        frames = [one for one in self._protocol.events_received() if isinstance(one, Frame)]
        if frames:
            # Known before the first event, because the caller may not take them all. A close frame
            # is the last one: the library discards what follows it.
            self._has_close = frames[-1].opcode is Opcode.CLOSE
        for frame in frames:
            if frame.opcode is Opcode.PING:
                yield PingReceived(bytes(frame.data))
            elif frame.opcode is Opcode.PONG:
                yield PongReceived()
            elif frame.opcode is not Opcode.CLOSE:
                if frame.opcode is not Opcode.CONT:
                    self._is_text = frame.opcode is Opcode.TEXT
                self._fragments += frame.data
                self._in_message = not frame.fin
                if frame.fin:
                    message, self._fragments = self._fragments, bytearray()
                    try:
                        yield TextMessage(message.decode()) if self._is_text else BinaryMessage()
                    except UnicodeDecodeError:
                        self._protocol.fail(CloseCode.INVALID_DATA, "not UTF-8")
                        return

    def release(self) -> None:
        """Leave nothing to the garbage collector; nothing may be fed after that."""
        release(self._protocol)

    def close(self, code: int) -> None:
        """Start the closing handshake with a close code, unless it was started before."""
        if self.is_open:
            self._protocol.send_close(code)

    def data_to_send(self) -> bytes:
        """Return the frames that the library wants to send, without its pongs.

        The connection answers pings itself: in order with the answers to messages, and not while
        the peer does not read.
        """
        writes = self._protocol.data_to_send()
        self.is_over = self.is_over or SEND_EOF in writes
        return b"".join(frame for frame in writes if frame[:1] != _PONG)


def piece_bytes(reader: MessageReader | None, data: bytes | bytearray) -> int:
    """Return how many of the next bytes should be fed at once: half a millisecond's work.

    Without a reader they are the first of a new one.
    """
    scanner = FrameScanner() if reader is None else reader._scanner
    return scanner.reach(bytes(data[:PIECE_BYTES]), PIECE_FRAMES)
