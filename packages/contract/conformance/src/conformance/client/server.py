"""Golden server: accepts a client's connections, on which a session plays its steps."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from conformance.session_format import SUBPROTOCOL

_HEAD_BYTES: Final = 65_536


class Attempt:
    """A request of the client for a stream, which becomes a stream when it is accepted."""

    def __init__(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._head = head
        self._reader = reader
        self._writer = writer
        self._protocol = ServerProtocol(select_subprotocol=_select_subprotocol)
        # Several frames may come in one read.
        self._frames: deque[Frame] = deque()
        self.at_s = asyncio.get_running_loop().time()
        line, *lines = head.decode("latin-1").strip().split("\r\n")
        self.method, target, _ = line.split(" ")
        self.path, query = urlsplit(target).path, urlsplit(target).query
        self.headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (one.partition(":") for one in lines)
        }
        fields = parse_qs(query)
        self.pillows = fields.get("pillow", [])
        self.since = self.headers.get("last-event-id") or "".join(fields.get("since", [])) or None

    @property
    def is_websocket(self) -> bool:
        """Whether it asks for a WebSocket."""
        return self.path.endswith("/ws")

    async def accept(self) -> None:
        """Accept the handshake, or begin the event stream."""
        if self.is_websocket:
            self._protocol.receive_data(self._head)
            for event in self._protocol.events_received():
                assert isinstance(event, Request)
                response = self._protocol.accept(event)
                assert response.status_code == HTTPStatus.SWITCHING_PROTOCOLS, (
                    f"no handshake of a WebSocket: {response.body!r}"
                )
                self._protocol.send_response(response)
            await self._flush()
        else:
            await self._respond(HTTPStatus.OK, {"Content-Type": "text/event-stream"}, b"")

    async def refuse(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Send a response and close."""
        await self._respond(status, {**headers, "Content-Length": str(len(body))}, body)
        await self.drop(is_reset=False)

    async def send(self, text: str) -> None:
        """Send a frame; the id of an event is its cursor."""
        if self.is_websocket:
            self._protocol.send_text(text.encode())
            await self._flush()
            return
        cursor = json.loads(text).get("cursor")
        event_id = "" if cursor is None else f"id: {cursor}\n"
        self._writer.write(f"{event_id}data: {text}\n\n".encode())
        await self._drain()

    async def receive(self) -> Frame:
        """Receive a frame of the WebSocket protocol."""
        while not self._frames:
            data = await self._reader.read(_HEAD_BYTES)
            assert data, "the client closed the connection"
            self._protocol.receive_data(data)
            for event in self._protocol.events_received():
                assert isinstance(event, Frame)
                self._frames.append(event)
            await self._flush()
        return self._frames.popleft()

    async def ping(self, payload: bytes) -> None:
        """Send a ping of the WebSocket protocol, and wait for its answer."""
        self._protocol.send_ping(payload)
        await self._flush()
        while True:
            frame = await self.receive()
            if frame.opcode is Opcode.PONG and frame.data == payload:
                return

    async def close(self, code: int) -> None:
        """Close with a code; an event stream just ends."""
        if self.is_websocket:
            self._protocol.send_close(code)
            await self._flush()
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(1):
                    while data := await self._reader.read(_HEAD_BYTES):
                        self._protocol.receive_data(data)
        await self.drop(is_reset=False)

    async def has_ended(self) -> None:
        """Wait until the client has closed the connection."""
        with contextlib.suppress(OSError):
            while await self._reader.read(_HEAD_BYTES):
                pass

    async def drop(self, *, is_reset: bool = True) -> None:
        """End the connection: with a reset, or in order."""
        if is_reset:
            self._writer.transport.abort()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _respond(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            *(f"{name}: {value}" for name, value in headers.items()),
            "Cache-Control: no-store",
            "Connection: close",
        ]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await self._drain()

    async def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._writer.write(data)
        await self._drain()

    async def _drain(self) -> None:
        with contextlib.suppress(OSError):
            await self._writer.drain()


class GoldenServer:
    """A server on loopback that keeps the client's attempts until a session takes them."""

    def __init__(self) -> None:
        self._attempts: asyncio.Queue[Attempt] = asyncio.Queue()
        self._taken: list[Attempt] = []
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Its base URL."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)

    async def close(self) -> None:
        """End every connection, and listen no more."""
        assert self._server is not None
        self._server.close()
        while not self._attempts.empty():
            self._taken.append(self._attempts.get_nowait())
        for attempt in self._taken:
            await attempt.drop()

    async def next(self) -> Attempt:
        """Wait for the client's next attempt."""
        attempt = await self._attempts.get()
        self._taken.append(attempt)
        return attempt

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            writer.close()
            return
        attempt = Attempt(head, reader, writer)
        if attempt.path.endswith(("/ws", "/events")):
            self._attempts.put_nowait(attempt)
        else:
            body = problem(HTTPStatus.NOT_FOUND, f"nothing is at {attempt.path}")
            await attempt.refuse(HTTPStatus.NOT_FOUND, PROBLEM_HEADERS, body)


def _select_subprotocol(
    _protocol: ServerProtocol, offered: Sequence[Subprotocol]
) -> Subprotocol | None:
    # A client need not offer it.
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None


PROBLEM_HEADERS: Final = {"Content-Type": "application/problem+json"}


def problem(status: int, detail: str) -> bytes:
    """Return a problem document as a gateway writes it."""
    title = HTTPStatus(status).phrase.lower()
    return compact({"type": "about:blank", "title": title, "status": status, "detail": detail})


def compact(value: Any) -> bytes:
    """Return JSON without white space, in the order of the keys: the golden bytes of a frame."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
