"""Fake sockets: a client of the gateway that applies what it reads, and may stop reading."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from contract.cursors import Cursor
from contract.frames import ServerFrame
from gateway.fanout.subscriptions import Filter
from gateway.transport.admission import Admission, SubscriptionRequest
from gateway.transport.connection import ClientConnection
from gateway.transport.context import TransportContext
from gateway.transport.sse import SseConnection
from gateway.transport.websocket import WebSocketConnection
from tests.gateway import TEXT, client_frame, split_frames
from tests.unit.gateway.subscribers import Client

_frame: msgspec.json.Decoder[ServerFrame] = msgspec.json.Decoder(ServerFrame)


class FakeSocket(asyncio.Transport):
    """Passes on what is written while its peer reads, and buffers it otherwise."""

    def __init__(self, on_data: Callable[[bytes], None]) -> None:
        super().__init__()
        self.protocol: ClientConnection | None = None
        self._on_data = on_data
        self._buffer = bytearray()
        self._may_read: int | None = None  # None: everything
        self._is_paused = False
        self.is_closed = False

    def write(self, data: Any) -> None:
        """Pass on what the peer reads, and pause the writer if something is left."""
        if self.is_closed:
            return  # as a transport does between the end and `connection_lost`
        self._buffer += data
        self._drain()
        if self._buffer and not self._is_paused and self.protocol is not None:
            self._is_paused = True
            self.protocol.pause_writing()

    def stop_reading(self, after: int) -> None:
        """Read only that many bytes more."""
        self._may_read = after

    def read_on(self) -> None:
        """Read everything again."""
        self._may_read = None
        self._drain()
        if self._is_paused and self.protocol is not None and not self.is_closed:
            self._is_paused = False
            self.protocol.resume_writing()

    def deliver(self) -> None:
        """Read what is buffered, of which the writer does not know yet."""
        data = bytes(self._buffer)
        self._buffer.clear()
        if data:
            self._on_data(data)

    def _drain(self) -> None:
        size = len(self._buffer) if self._may_read is None else self._may_read
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        if self._may_read is not None:
            self._may_read -= len(data)
        if data:
            self._on_data(data)

    def close(self) -> None:
        """End the connection, as if its peer had closed it too."""
        if not self.is_closed:
            self.is_closed = True
            asyncio.get_running_loop().call_soon(self._lose)

    def abort(self) -> None:
        """End the connection."""
        self.close()

    def _lose(self) -> None:
        assert self.protocol is not None
        self.protocol.connection_lost(None)

    def is_closing(self) -> bool:
        """Whether the connection has ended."""
        return self.is_closed

    def get_write_buffer_size(self) -> int:
        """What the peer has not read."""
        return len(self._buffer)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Ignore the limits: the writer is paused by any byte."""

    def pause_reading(self) -> None:
        """Do nothing: the connection gets what the fuzzer sends."""

    def resume_reading(self) -> None:
        """Do nothing."""


class _Detached:
    """The fanout of a client that is fed by a socket."""

    def subscribe(self, *_: object) -> None:
        """Do nothing: the socket's connection subscribes."""

    def change_filter(self, *_: object) -> None:
        """Do nothing."""

    def pause(self, _: object) -> None:
        """Do nothing."""


class Page:
    """A page on a WebSocket, or on an event stream, that applies every frame."""

    def __init__(
        self,
        context: TransportContext,
        filter: frozenset[str] | None,
        before: "Page | None",
        *,
        is_websocket: bool,
    ) -> None:
        """With `before` it resumes from what that page had."""
        resume_from: Cursor | None = before.client.cursor if before is not None else None
        self.client: Client = Client(_Detached(), filter, resume_from)
        if before is not None:
            self.client.states = dict(before.client.states)
        self._unparsed = b""
        self.socket = FakeSocket(self._read_frames if is_websocket else self._read_events)
        request = SubscriptionRequest(filter, resume_from)
        admission = Admission(request, None, request)
        self.websocket: WebSocketConnection | None = None
        if is_websocket:
            self.websocket = WebSocketConnection(context, self.socket, b"", deflate=False)
            self.socket.protocol = self.websocket
            self.websocket.enter(admission)
        else:
            events = SseConnection(context, self.socket, b"", is_chunked=False)
            self.socket.protocol = events
            events.start(admission)

    @property
    def wanted(self) -> Filter:
        """The pillows that it asked for."""
        return self.client.wanted

    @property
    def is_open(self) -> bool:
        """Whether it gets the stream."""
        return (
            not self.socket.is_closed
            and self.socket.protocol is not None
            and self.socket.protocol.is_subscribed
        )

    def send(self, data: bytes) -> None:
        """Send any bytes on a WebSocket."""
        if self.websocket is not None and self.is_open:
            self.websocket.data_received(data)
            if self.websocket.has_unprocessed_input:
                self.socket.close()  # when they are processed is not known

    def subscribe(self, filter: frozenset[str] | None) -> None:
        """Ask for other pillows on a WebSocket."""
        if self.websocket is None or not self.is_open:
            return
        pillows = "all" if filter is None else sorted(filter)
        text = msgspec.json.encode({"type": "subscribe", "pillows": pillows})
        self.socket.deliver()  # it belongs to the pillows that it asked for before
        self.send(client_frame(TEXT, text))
        if self.is_open:
            self.client.subscribe(filter)

    def _read_frames(self, data: bytes) -> None:
        frames, self._unparsed = split_frames(self._unparsed + data)
        for opcode, payload in frames:
            if opcode == TEXT:
                self.client.apply(_frame.decode(payload))

    def _read_events(self, data: bytes) -> None:
        self._unparsed += data
        *events, self._unparsed = self._unparsed.split(b"\n\n")
        for event in events:
            lines = [
                line[len(b"data: ") :] for line in event.split(b"\n") if line.startswith(b"data: ")
            ]
            if lines:
                self.client.apply(_frame.decode(b"\n".join(lines)))
