"""A transport in memory, and a WebSocket connection on it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.transport.admission import ALL_PILLOWS, Admission
from gateway.transport.websocket import WebSocketConnection
from tests.gateway import parse_frames
from tests.unit.gateway.core import GatewayCore
from tests.unit.gateway.transport.contexts import make_context
from tests.waiting import until


class MemoryTransport(asyncio.Transport):
    """Keeps what is written, as one whose peer reads everything at once."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_reading_paused = False
        self.has_ended = False

    def write(self, data: Any) -> None:
        """Keep data; nothing may be written behind the end."""
        assert not self.has_ended, f"{data!r} written to a closed transport"
        self.written += bytes(data)

    def close(self) -> None:
        """End."""
        self.has_ended = True

    def abort(self) -> None:
        """End."""
        self.has_ended = True

    def is_closing(self) -> bool:
        """Whether it has ended."""
        return self.has_ended

    def pause_reading(self) -> None:
        """Stop reading."""
        self.is_reading_paused = True

    def resume_reading(self) -> None:
        """Read again."""
        self.is_reading_paused = False

    def get_write_buffer_size(self) -> int:
        """Nothing is ever buffered."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Ignore the limits, because nothing is buffered."""


class MemoryWebSocket:
    """A WebSocket connection after its snapshot, and what a client would receive on it."""

    def __init__(
        self, core: GatewayCore, connection: WebSocketConnection, transport: MemoryTransport
    ) -> None:
        self.core = core
        self.connection = connection
        self.transport = transport
        self._seen = len(transport.written)

    async def send(self, data: bytes, *, piece_bytes: int = 0) -> list[tuple[int, bytes]]:
        """Receive data from the client, as TCP may cut it; return the frames sent back."""
        size = piece_bytes or len(data)
        for at in range(0, len(data), size or 1):
            await until(
                lambda: self.transport.has_ended or not self.transport.is_reading_paused, "reading"
            )
            if self.transport.has_ended:
                break
            self.connection.data_received(data[at : at + size])
        await until(lambda: not self.connection.has_unprocessed_input, "processed")
        frames = parse_frames(b"\r\n\r\n" + self.transport.written[self._seen :])
        self._seen = len(self.transport.written)
        return frames


@asynccontextmanager
async def memory_websocket(*, deflate: bool = False) -> AsyncIterator[MemoryWebSocket]:
    """Open a WebSocket without a socket."""
    core = GatewayCore()
    transport = MemoryTransport()
    context = make_context(core)
    connection = WebSocketConnection(context, transport, b"", deflate=deflate)
    connection.enter(Admission(ALL_PILLOWS, None, ALL_PILLOWS))
    await until(lambda: b'"snapshot"' in transport.written, "snapshot")
    try:
        yield MemoryWebSocket(core, connection, transport)
    finally:
        with contextlib.suppress(RuntimeError):
            connection.connection_lost(None)
